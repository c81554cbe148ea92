#include "engine/tokenizer/chat_template.h"

#include <memory>
#include <utility>

#include "engine/tokenizer/jinja/interpreter.h"
#include "engine/tokenizer/jinja/lexer.h"
#include "engine/tokenizer/jinja/parser.h"

namespace vade::tokenizer {
namespace {

constexpr size_t kMaxTemplateBytes = size_t{1} << 20;  // the largest public one has 17 kB

jinja::Value StrftimeNow(const std::tm& now) {
  return jinja::Value(std::make_shared<const jinja::Callable>(jinja::Callable{
      "strftime_now", [now](const jinja::Arguments& arguments) -> Result<jinja::Value> {
        const jinja::Value* format = arguments.Find(0, "format");
        if (format == nullptr || format->string() == nullptr || format->string()->size() > 256) {
          return jinja::TypeError("strftime_now: expected a short format");
        }
        if (format->string()->empty()) return jinja::Value("");
        char text[1024];
        const size_t length = std::strftime(text, sizeof text, format->string()->c_str(), &now);
        return jinja::Value(std::string(text, length));
      }}));
}

}  // namespace

Result<ChatTemplate> ChatTemplate::Parse(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) {
    return Fail(ErrorCode::kResource, "chat template: " + std::to_string(source.size()) +
                                          " bytes, limit " + std::to_string(kMaxTemplateBytes));
  }
  VADE_TRY(auto tokens, jinja::Lex(source));
  VADE_TRY(auto body, jinja::Parse(std::move(tokens)));
  return ChatTemplate(std::move(body));
}

Result<std::string> ChatTemplate::Render(const ChatTemplateInput& input) const {
  jinja::Dict variables;
  variables.Set("messages", input.messages);
  variables.Set("tools", input.tools);
  variables.Set("documents", jinja::Value());
  variables.Set("add_generation_prompt", input.add_generation_prompt);
  variables.Set("bos_token", input.bos_token);
  variables.Set("eos_token", input.eos_token);
  variables.Set("strftime_now", StrftimeNow(input.now));
  return jinja::Render(body_, variables, jinja::Budget{});
}

}  // namespace vade::tokenizer
