#include "qa/cli/debug_template.h"

#include <ctime>
#include <string_view>
#include <utility>

#include "engine/tokenizer/chat_template.h"

namespace vade::qa {
namespace {

using Json = nlohmann::ordered_json;
using tokenizer::jinja::Dict;
using tokenizer::jinja::List;
using tokenizer::jinja::Value;

constexpr int kMaxDepth = 64;

// Depth is bounded by ParseLine.
Value ToValue(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    List list;
    for (const Json& item : json) list.items.push_back(ToValue(item));
    return list;
  }
  if (!json.is_object()) return {};
  Dict dict;
  for (const auto& [key, item] : json.items()) dict.Set(key, ToValue(item));
  return dict;
}

Result<Json> ParseLine(const std::string& line, const std::string& name) {
  bool too_deep = false;
  Json json = Json::parse(
      line,
      [&](int depth, Json::parse_event_t, Json&) {
        too_deep |= depth > kMaxDepth;
        return !too_deep;
      },
      false);
  if (too_deep) return Fail(ErrorCode::kCorruptData, name + ": nested deeper than 64");
  if (!json.is_object()) return Fail(ErrorCode::kCorruptData, name + ": not a JSON object");
  return json;
}

Result<std::string> TextField(const Json& json, const std::string& name, const char* field) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return "";
  if (!found->is_string()) {
    return Fail(ErrorCode::kCorruptData, name + ": \"" + field + "\": want a string");
  }
  return found->get<std::string>();
}

}  // namespace

Result<nlohmann::json> RenderTemplateLine(const std::string& line, size_t number) {
  const std::string name = "line " + std::to_string(number);
  VADE_TRY(const Json json, ParseLine(line, name));
  VADE_TRY(const std::string source, TextField(json, name, "template"));
  tokenizer::ChatTemplateInput input;
  VADE_TRY(input.bos_token, TextField(json, name, "bos_token"));
  VADE_TRY(input.eos_token, TextField(json, name, "eos_token"));
  if (json.contains("messages")) input.messages = ToValue(json["messages"]);
  if (json.contains("tools")) input.tools = ToValue(json["tools"]);
  const auto prompt = json.find("add_generation_prompt");
  input.add_generation_prompt =
      prompt == json.end() || (prompt->is_boolean() && prompt->get<bool>());
  const std::time_t now = std::time(nullptr);
  localtime_r(&now, &input.now);
  VADE_TRY(const auto parsed, tokenizer::ChatTemplate::Parse(source));
  VADE_TRY(std::string text, parsed.Render(input));
  return nlohmann::json{{"text", std::move(text)}};
}

}  // namespace vade::qa
