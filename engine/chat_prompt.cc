// Rendering, fallbacks, and keeping control tokens out of what people wrote.
#include "engine/chat_prompt.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/name_guard.h"
#include "engine/tokenizer/chat_template.h"

namespace vade::engine {
namespace {

using tokenizer::TokenId;
using tokenizer::Tokenizer;
using tokenizer::jinja::Dict;
using tokenizer::jinja::List;
using tokenizer::jinja::Value;

// --- Built-in templates --------------------------------------------------------------------------

struct BuiltIn {
  std::string_view name;
  std::string_view token;  // the control token that gives the family away; empty: any vocabulary
  std::string_view source;
};

// (Jinja drops a newline at the very end of a template.)
constexpr std::array<BuiltIn, 6> kBuiltIns = {{
    {"chatml", "<|im_start|>",
     "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
     "<|im_start|>assistant{{ '\n' }}"},
    {"llama3", "<|start_header_id|>",
     "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
     "{{ m.content | trim }}<|eot_id|>{% endfor %}"
     "<|start_header_id|>assistant<|end_header_id|>\n{{ '\n' }}"},
    {"gemma", "<start_of_turn>",
     "{{ bos_token }}{% for m in messages %}<start_of_turn>"
     "{{ 'model' if m.role == 'assistant' else 'user' }}\n{{ m.content | trim }}<end_of_turn>\n"
     "{% endfor %}<start_of_turn>model{{ '\n' }}"},
    {"phi3", "<|assistant|>",
     "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
     "<|assistant|>{{ '\n' }}"},
    {"llama2", "[INST]",
     "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }}"
     "{{ eos_token }}{% else %}[INST] {{ m.content }} [/INST]{% endif %}{% endfor %}"},
    {"plain", "",
     "{% for m in messages %}{{ {'system': 'System', 'user': 'User', 'assistant': 'Assistant'}"
     ".get(m.role, m.role) }}: {{ m.content }}\n{% endfor %}Assistant:"},
}};

// --- Rendering -----------------------------------------------------------------------------------

Result<std::string> Render(std::string_view source, const Tokenizer& tokenizer,
                           std::span<const ChatMessage> messages) {
  tokenizer::ChatTemplateInput input;
  List list;
  for (const ChatMessage& message : messages) {
    Dict dict;
    dict.Set("role", message.role);
    dict.Set("content", message.content);
    list.items.push_back(std::move(dict));
  }
  input.messages = std::move(list);
  const auto text_of = [&](const std::optional<TokenId>& id) {
    return id ? tokenizer.TokenText(*id) : std::string();
  };
  input.bos_token = text_of(tokenizer.special_ids().bos);
  input.eos_token = text_of(tokenizer.special_ids().eos);
  const std::time_t now = std::time(nullptr);
  localtime_r(&now, &input.now);
  VADE_TRY(const auto parsed, tokenizer::ChatTemplate::Parse(source));
  return parsed.Render(input);
}

/// The system message at the head of the first user message.
std::vector<ChatMessage> WithoutSystem(std::span<const ChatMessage> messages) {
  std::vector<ChatMessage> merged;
  std::string system;
  for (const ChatMessage& message : messages) {
    if (message.role == "system") {
      system += message.content + "\n\n";
    } else {
      merged.push_back(message);
      if (message.role == "user") merged.back().content.insert(0, std::exchange(system, ""));
    }
  }
  return merged;
}

const BuiltIn& BuiltInFor(const Tokenizer& tokenizer) {
  for (const BuiltIn& built_in : kBuiltIns) {
    if (built_in.token.empty()) return built_in;
    const auto ids = tokenizer.Encode(built_in.token, false, true);
    if (ids.size() == 1 && tokenizer.TokenText(ids[0]) == built_in.token) return built_in;
  }
  return kBuiltIns.back();
}

Result<std::string> RenderByModel(std::string_view source, const Tokenizer& tokenizer,
                                  std::span<const ChatMessage> messages) {
  auto rendered = Render(source, tokenizer, messages);
  const bool has_system = !messages.empty() && messages.front().role == "system";
  if (rendered || !has_system) return rendered;
  auto merged = Render(source, tokenizer, WithoutSystem(messages));
  return merged ? merged : rendered;
}

}  // namespace

Result<ChatPrompt> BuildChatPrompt(const Tokenizer& tokenizer, std::string_view model_template,
                                   std::span<const ChatMessage> messages) {
  if (messages.empty()) return Fail(ErrorCode::kInvalidArgument, "chat: got no messages");
  NameGuard guard(tokenizer);
  std::vector<ChatMessage> hidden;
  for (const ChatMessage& message : messages) {
    hidden.push_back({message.role, guard.Hide(utf8::Repair(message.content))});
  }
  ChatPrompt prompt;
  prompt.template_name = "model";
  auto rendered = model_template.empty()
                      ? Result<std::string>(Fail(ErrorCode::kNotFound, "the model has none"))
                      : RenderByModel(model_template, tokenizer, hidden);
  if (!rendered) {
    const BuiltIn& built_in = BuiltInFor(tokenizer);
    prompt.template_name = built_in.name;
    prompt.warnings.push_back("chat template: " + rendered.error().message + "; using '" +
                              prompt.template_name + "'");
    rendered = Render(built_in.source, tokenizer, hidden);
    if (!rendered) return tl::unexpected(rendered.error());
  }
  prompt.ids = guard.Encode(*rendered, prompt.text);
  // A template may leave the beginning of the sequence to the tokenizer.
  const auto frame = tokenizer.Encode("", true, false);
  const auto bos = tokenizer.special_ids().bos;
  if (bos && !frame.empty() && frame.front() == *bos &&
      (prompt.ids.empty() || prompt.ids.front() != *bos)) {
    prompt.ids.insert(prompt.ids.begin(), *bos);
  }
  return prompt;
}

}  // namespace vade::engine
