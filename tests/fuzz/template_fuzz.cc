// libFuzzer target: any bytes as a chat template, rendered with a short conversation and a tool.
//   template_fuzz CORPUS -max_len=8192 -timeout=20 -rss_limit_mb=2048
// A corpus to begin with: the .jinja files of real models.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "engine/tokenizer/chat_template.h"

namespace {

using vade::tokenizer::ChatTemplate;
using vade::tokenizer::ChatTemplateInput;
using vade::tokenizer::jinja::Dict;
using vade::tokenizer::jinja::List;
using vade::tokenizer::jinja::Value;

Value DictOf(std::initializer_list<std::pair<const char*, Value>> items) {
  Dict dict;
  for (const auto& [key, value] : items) dict.Set(key, value);
  return dict;
}

Value ListOf(std::initializer_list<Value> items) {
  List list;
  for (const Value& item : items) list.items.push_back(item);
  return list;
}

ChatTemplateInput Conversation() {
  ChatTemplateInput input;
  input.messages = ListOf({DictOf({{"role", "system"}, {"content", "Be <brief>."}}),
                           DictOf({{"role", "user"}, {"content", "안녕 \"you\""}}),
                           DictOf({{"role", "assistant"}, {"content", "Yes?"}}),
                           DictOf({{"role", "user"}, {"content", ""}})});
  const Value function = DictOf({{"name", "add"}, {"parameters", DictOf({{"type", "object"}})}});
  input.tools = ListOf({DictOf({{"type", "function"}, {"function", function}})});
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  input.now.tm_year = 126;
  input.now.tm_mday = 1;
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ChatTemplateInput input = Conversation();
  const auto parsed = ChatTemplate::Parse({reinterpret_cast<const char*>(data), size});
  if (parsed) (void)parsed->Render(input);
  return 0;
}
