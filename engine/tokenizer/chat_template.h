// ChatTemplate: a model's own Jinja template, messages -> the prompt it was trained on.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/tokenizer/jinja/ast.h"
#include "engine/tokenizer/jinja/value.h"

namespace vade::tokenizer {

struct ChatTemplateInput {
  jinja::Value messages;  // list of dicts with "role", "content", ...
  jinja::Value tools;     // list of dicts, or none
  bool add_generation_prompt = true;
  std::string bos_token;
  std::string eos_token;
  std::tm now{};  // what strftime_now() formats
};

/// Immutable, const-safe. Templates come from model files and are hostile: they run under budgets
/// for steps, nesting and memory, and reach nothing but the input.
/// Source: the environment of Hugging Face transformers (trim_blocks, lstrip_blocks, loop controls,
/// sandbox, tojson without escaping). Differs: case mapping of letters beyond ASCII, recursive
/// loops, import and include, dict keys other than str are kUnsupported or left unchanged.
class ChatTemplate {
 public:
  /// Errors: kInvalidArgument "line N: ..." for syntax; kUnsupported; kResource.
  [[nodiscard]] static Result<ChatTemplate> Parse(std::string_view source);

  /// Errors: kInvalidArgument with the template's own words for raise_exception(); otherwise what
  /// Python would raise; kResource when a budget is used up.
  [[nodiscard]] Result<std::string> Render(const ChatTemplateInput& input) const;

 private:
  explicit ChatTemplate(jinja::Body body) : body_(std::move(body)) {}

  jinja::Body body_;
};

}  // namespace vade::tokenizer
