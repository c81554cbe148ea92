// How models write tool calls: the forms they were trained on, as grammars and as text to be read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/call_trigger.h"
#include "engine/chat_message.h"
#include "engine/language_model.h"

namespace vade::engine {

enum class CallForm : uint8_t {
  kTagged,       // <tool_call>{"name": ..., "arguments": ...}</tool_call>: Hermes, Qwen, SmolLM3
  kBare,         // {"name": ..., "parameters": ...}, perhaps after <|python_tag|>: Llama 3
  kList,         // [TOOL_CALLS] [{"name": ..., "arguments": ...}]: Mistral
  kNameAndArgs,  // [TOOL_CALLS]name[ARGS]{...}: newer Mistral
};

/// The form that a template teaches; nothing if it knows no tools, or a form of its own.
[[nodiscard]] std::optional<CallForm> FindCallForm(std::string_view model_template);

/// Says what there is to call and how (kTagged), for models whose template does not.
[[nodiscard]] std::string DescribeTools(std::span<const ToolSpec> tools);

/// A call as text in kTagged form.
[[nodiscard]] std::string WriteCall(const ToolCall& call);

/// Errors: kInvalidArgument for a name or schema that is none, two tools of one name, and a choice
/// that is not among them.
[[nodiscard]] Result<void> CheckTools(std::span<const ToolSpec> tools, const ToolChoice& choice);

/// Calls of the tools, and what begins one. With `required` there is nothing but calls. A schema
/// that a grammar cannot say leaves its tool with any object for arguments, and a warning.
/// REQUIRES CheckTools.
struct CallGrammar {
  std::string gbnf;
  std::vector<std::string> marks;
  bool only_at_start = false;
  std::vector<std::string> warnings;
};
[[nodiscard]] Result<CallGrammar> MakeCallGrammar(CallForm form, std::span<const ToolSpec> tools,
                                                  const ToolChoice& choice);

/// The grammar of either: rules of both are renamed.
[[nodiscard]] std::string EitherGbnf(std::string_view a, std::string_view b);

/// The calls in a reply from its mark on, each with an id of its own; one that is cut off is left
/// out.
[[nodiscard]] std::vector<ToolCall> ReadCalls(CallForm form, std::string_view text);

/// Nine letters and digits: what every template takes.
[[nodiscard]] std::string MakeCallId();

}  // namespace vade::engine
