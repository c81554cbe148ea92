// Rendering, fallbacks, and keeping control tokens out of what people wrote.
#include "engine/chat_prompt.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/base/hash.h"
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

// What a template is given. People's text has been hidden from it.
struct Conversation {
  std::vector<ChatMessage> messages;
  std::vector<Value> tools;                   // none: the template is not told of tools
  std::vector<std::vector<Value>> arguments;  // of the calls of each message
};

Value CallsOf(const ChatMessage& message, const std::vector<Value>& arguments) {
  List calls;
  for (size_t i = 0; i < message.tool_calls.size(); ++i) {
    const ToolCall& call = message.tool_calls[i];
    Dict function;
    function.Set("name", call.name);
    function.Set("arguments", arguments[i]);
    Dict dict;
    dict.Set("id", call.id);
    dict.Set("type", "function");
    dict.Set("function", std::move(function));
    calls.items.push_back(std::move(dict));
  }
  return calls;
}

Value MessagesOf(const Conversation& conversation) {
  List list;
  for (size_t i = 0; i < conversation.messages.size(); ++i) {
    const ChatMessage& message = conversation.messages[i];
    Dict dict;
    dict.Set("role", message.role);
    dict.Set("content", message.content);
    if (!message.tool_calls.empty()) {
      dict.Set("tool_calls", CallsOf(message, conversation.arguments[i]));
    }
    if (!message.tool_call_id.empty()) dict.Set("tool_call_id", message.tool_call_id);
    if (!message.tool_name.empty()) dict.Set("name", message.tool_name);
    list.items.push_back(std::move(dict));
  }
  return list;
}

Result<std::string> Render(std::string_view source, const Tokenizer& tokenizer,
                           const Conversation& conversation) {
  tokenizer::ChatTemplateInput input;
  input.messages = MessagesOf(conversation);
  if (!conversation.tools.empty()) input.tools = List{conversation.tools};
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
                                  const Conversation& conversation) {
  auto rendered = Render(source, tokenizer, conversation);
  const auto& messages = conversation.messages;
  const bool has_system = !messages.empty() && messages.front().role == "system";
  if (rendered || !has_system || !conversation.tools.empty()) return rendered;
  auto merged = Render(source, tokenizer, {WithoutSystem(messages), {}, {}});
  return merged ? merged : rendered;
}

// --- Tools ---------------------------------------------------------------------------------------

using Json = nlohmann::ordered_json;  // models were trained on an order of keys

Value ToValue(const Json& json, NameGuard& guard) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return guard.Hide(json.get_ref<const std::string&>());
  if (json.is_array()) {
    List list;
    for (const Json& item : json) list.items.push_back(ToValue(item, guard));
    return list;
  }
  if (!json.is_object()) return {};
  Dict dict;
  for (const auto& [key, item] : json.items()) dict.Set(guard.Hide(key), ToValue(item, guard));
  return dict;
}

// An object, whatever the text is: a client may have written it.
Value ObjectOf(const std::string& text, NameGuard& guard) {
  constexpr int kMaxDepth = 32;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  const Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  return too_deep || !json.is_object() ? Value(Dict{}) : ToValue(json, guard);
}

Value ToolValue(const ToolSpec& tool, NameGuard& guard) {
  Dict function;
  function.Set("name", guard.Hide(tool.name));
  function.Set("description", guard.Hide(utf8::Repair(tool.description)));
  function.Set("parameters",
               ObjectOf(tool.parameters.empty() ? R"({"type": "object", "properties": {}})"
                                                : tool.parameters,
                        guard));
  Dict dict;
  dict.Set("type", "function");
  dict.Set("function", std::move(function));
  return dict;
}

// Some templates take ids of nine letters and digits only.
std::string ShortId(const std::string& id) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (id.size() == 9 && std::ranges::all_of(id, plain)) return id;
  uint64_t hash = Hash64(std::as_bytes(std::span(id)));
  std::string out;
  for (; out.size() < 9; hash /= 26) out += static_cast<char>('a' + hash % 26);
  return out;
}

ChatMessage Hidden(const ChatMessage& message, NameGuard& guard) {
  ChatMessage out{message.role, guard.Hide(utf8::Repair(message.content)), {}, "", ""};
  for (const ToolCall& call : message.tool_calls) {
    out.tool_calls.push_back({ShortId(call.id), guard.Hide(utf8::Repair(call.name)), ""});
  }
  if (!message.tool_call_id.empty()) out.tool_call_id = ShortId(message.tool_call_id);
  out.tool_name = guard.Hide(utf8::Repair(message.tool_name));
  return out;
}

Conversation WithTools(std::span<const ChatMessage> messages, std::span<const ToolSpec> tools,
                       NameGuard& guard) {
  Conversation out;
  for (const ChatMessage& message : messages) {
    out.messages.push_back(Hidden(message, guard));
    auto& arguments = out.arguments.emplace_back();
    for (const ToolCall& call : message.tool_calls) {
      arguments.push_back(ObjectOf(call.arguments, guard));
    }
  }
  for (const ToolSpec& tool : tools) out.tools.push_back(ToolValue(tool, guard));
  return out;
}

// The same in words, for a template that knows no tools.
Conversation InWords(std::span<const ChatMessage> messages, std::span<const ToolSpec> tools,
                     NameGuard& guard) {
  std::vector<ChatMessage> plain;
  if (!tools.empty()) {
    const bool has_system = messages.front().role == "system";
    plain.push_back(
        {"system", (has_system ? messages.front().content + "\n\n" : "") + DescribeTools(tools)});
    if (has_system) messages = messages.subspan(1);
  }
  for (const ChatMessage& message : messages) {
    ChatMessage words{message.role, message.content};
    for (const ToolCall& call : message.tool_calls) {
      if (!words.content.empty()) words.content += '\n';
      words.content += WriteCall(call);
    }
    if (message.role == "tool") {
      words.content = "<tool_response>\n" + message.content + "\n</tool_response>";
      words.role = "user";
      if (!plain.empty() && plain.back().role == "user" &&
          plain.back().content.starts_with("<tool_response>")) {
        plain.back().content += "\n" + words.content;
        continue;
      }
    }
    plain.push_back(std::move(words));
  }
  Conversation out;
  for (ChatMessage& message : plain) {
    out.messages.push_back({message.role, guard.Hide(utf8::Repair(message.content))});
  }
  return out;
}

bool UsesTools(std::span<const ChatMessage> messages, std::span<const ToolSpec> tools) {
  return !tools.empty() || std::ranges::any_of(messages, [](const ChatMessage& message) {
    return message.role == "tool" || !message.tool_calls.empty();
  });
}

// The prompt in the template's own form of calling tools; nothing if it has none that works.
std::optional<std::string> RenderTools(std::string_view source, const Tokenizer& tokenizer,
                                       std::span<const ChatMessage> messages,
                                       std::span<const ToolSpec> tools, NameGuard& guard) {
  const auto rendered = Render(source, tokenizer, WithTools(messages, tools, guard));
  const bool told = rendered && std::ranges::all_of(tools, [&](const ToolSpec& tool) {
                      return rendered->find(tool.name) != std::string::npos;
                    });
  return told ? std::optional<std::string>(*rendered) : std::nullopt;
}

}  // namespace

Result<ChatPrompt> BuildChatPrompt(const Tokenizer& tokenizer, std::string_view model_template,
                                   std::span<const ChatMessage> messages,
                                   std::span<const ToolSpec> tools) {
  if (messages.empty()) return Fail(ErrorCode::kInvalidArgument, "chat: got no messages");
  NameGuard guard(tokenizer);
  ChatPrompt prompt;
  prompt.template_name = "model";
  const auto form = FindCallForm(model_template);
  std::optional<std::string> own;
  if (form && UsesTools(messages, tools)) {
    own = RenderTools(model_template, tokenizer, messages, tools, guard);
  }
  if (own) {
    prompt.call_form = *form;
    prompt.ids = guard.Encode(*own, prompt.text);
  } else {
    const Conversation words = InWords(messages, tools, guard);
    auto rendered = model_template.empty()
                        ? Result<std::string>(Fail(ErrorCode::kNotFound, "the model has none"))
                        : RenderByModel(model_template, tokenizer, words);
    if (!rendered) {
      const BuiltIn& built_in = BuiltInFor(tokenizer);
      prompt.template_name = built_in.name;
      prompt.warnings.push_back("chat template: " + rendered.error().message + "; using '" +
                                prompt.template_name + "'");
      rendered = Render(built_in.source, tokenizer, words);
      if (!rendered) return tl::unexpected(rendered.error());
    }
    prompt.ids = guard.Encode(*rendered, prompt.text);
  }
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
