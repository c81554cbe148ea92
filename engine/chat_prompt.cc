// Rendering, fallbacks, and keeping control tokens out of what people wrote.
#include "engine/chat_prompt.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>

#include "engine/base/utf8.h"
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

// --- Control tokens in what people wrote ---------------------------------------------------------

// U+FDD0 never stands in text: it is a noncharacter. "U+FDD0 <index> U+FDD0" takes the place of a
// control token's name while the template runs.
constexpr std::string_view kMark = "\xEF\xB7\x90";

std::vector<std::string> ControlNames(const Tokenizer& tokenizer) {
  std::vector<std::string> names;
  for (size_t i = 0; i < tokenizer.vocab_size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!tokenizer.IsControl(id)) continue;
    std::string name = tokenizer.TokenText(id);
    if (!name.empty()) names.push_back(std::move(name));
  }
  // Longest first, so that the whole name is taken where one begins another.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  return names;
}

/// Puts names out of the template's sight and back into the prompt as plain text.
class NameGuard {
 public:
  explicit NameGuard(const Tokenizer& tokenizer)
      : tokenizer_(tokenizer), names_(ControlNames(tokenizer)) {
    for (const std::string& name : names_) starts_[static_cast<unsigned char>(name[0])] = true;
  }

  [[nodiscard]] std::string Hide(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      if (text.substr(at).starts_with(kMark)) {
        out += "\xEF\xBF\xBD";  // U+FFFD
        at += kMark.size();
      } else if (const std::string* name = NameAt(text.substr(at))) {
        out.append(kMark).append(std::to_string(hidden_.size())).append(kMark);
        hidden_.push_back(*name);
        at += name->size();
      } else {
        out.push_back(text[at++]);
      }
    }
    return out;
  }

  [[nodiscard]] std::vector<TokenId> Encode(std::string_view rendered, std::string& text) const {
    std::vector<TokenId> ids;
    const auto append = [&](std::string_view piece, bool parse_special) {
      text += piece;
      const auto more = tokenizer_.Encode(piece, false, parse_special);
      ids.insert(ids.end(), more.begin(), more.end());
    };
    while (true) {
      const size_t mark = rendered.find(kMark);
      if (mark > 0) append(rendered.substr(0, mark), true);
      if (mark == std::string_view::npos) return ids;
      rendered.remove_prefix(mark + kMark.size());
      size_t index = 0;
      while (!rendered.empty() && rendered[0] >= '0' && rendered[0] <= '9' &&
             index < hidden_.size()) {
        index = index * 10 + static_cast<size_t>(rendered[0] - '0');
        rendered.remove_prefix(1);
      }
      if (rendered.starts_with(kMark)) rendered.remove_prefix(kMark.size());
      if (index < hidden_.size()) append(hidden_[index], false);
    }
  }

 private:
  [[nodiscard]] const std::string* NameAt(std::string_view text) const {
    if (!starts_[static_cast<unsigned char>(text[0])]) return nullptr;
    const auto found = std::find_if(names_.begin(), names_.end(), [&](const std::string& name) {
      return text.starts_with(name);
    });
    return found == names_.end() ? nullptr : &*found;
  }

  const Tokenizer& tokenizer_;
  std::vector<std::string> names_;
  std::array<bool, 256> starts_{};
  std::vector<std::string> hidden_;
};

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
