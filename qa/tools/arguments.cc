#include "qa/tools/arguments.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kShownBytes = 60;  // of a wrong value in a message

std::string Shown(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kShownBytes) {
    text.resize(utf8::FloorBoundary(text, kShownBytes));
    text += "...";
  }
  return utf8::Escape(text);
}

tl::unexpected<Error> Wrong(const std::string& where, const json& value,
                            const std::string& expected) {
  return Fail(ErrorCode::kInvalidArgument,
              where + ": got " + Shown(value) + ", expected " + expected);
}

bool HasType(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  if (type != "integer") return false;
  if (value.is_number_integer()) return true;
  return value.is_number_float() &&
         value.get<double>() == static_cast<double>(static_cast<int64_t>(
                                    std::clamp(value.get<double>(), -9e15, 9e15)));
}

Result<void> CheckValue(const json& schema, const json& value, const std::string& where);

Result<void> CheckObject(const json& schema, const json& value, const std::string& where) {
  const json none = json::object();
  const json& properties = schema.contains("properties") ? schema["properties"] : none;
  std::string known;
  for (const auto& [name, unused] : properties.items()) known += (known.empty() ? "" : ", ") + name;
  for (const json& name : schema.value("required", json::array())) {
    if (!value.contains(name)) {
      return Fail(ErrorCode::kInvalidArgument,
                  where + ": \"" + name.get<std::string>() + "\" is missing");
    }
  }
  for (const auto& [name, member] : value.items()) {
    if (properties.contains(name)) {
      VADE_CHECK_OK(CheckValue(properties[name], member, where + "." + name));
    } else if (schema.contains("additionalProperties") && schema["additionalProperties"] == false) {
      return Fail(ErrorCode::kInvalidArgument,
                  where + ": \"" + utf8::Escape(name.substr(0, kShownBytes)) + "\" is not known, " +
                      (known.empty() ? "there are no arguments" : "there are " + known));
    }
  }
  return {};
}

Result<void> CheckArray(const json& schema, const json& value, const std::string& where) {
  if (schema.contains("minItems") && value.size() < schema["minItems"].get<size_t>()) {
    return Wrong(where, value, "at least " + schema["minItems"].dump() + " items");
  }
  if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<size_t>()) {
    return Wrong(where, value, "at most " + schema["maxItems"].dump() + " items");
  }
  if (!schema.contains("items")) return {};
  for (size_t i = 0; i < value.size(); ++i) {
    VADE_CHECK_OK(CheckValue(schema["items"], value[i], where + "[" + std::to_string(i) + "]"));
  }
  return {};
}

Result<void> CheckRange(const json& schema, const json& value, const std::string& where) {
  if (value.is_number()) {
    const auto number = value.get<double>();
    if (schema.contains("minimum") && number < schema["minimum"].get<double>()) {
      return Wrong(where, value, "at least " + schema["minimum"].dump());
    }
    if (schema.contains("maximum") && number > schema["maximum"].get<double>()) {
      return Wrong(where, value, "at most " + schema["maximum"].dump());
    }
  }
  if (value.is_string()) {
    const size_t length = utf8::CountCodePoints(value.get_ref<const std::string&>());
    if (schema.contains("minLength") && length < schema["minLength"].get<size_t>()) {
      return Wrong(where, value, "at least " + schema["minLength"].dump() + " characters");
    }
    if (schema.contains("maxLength") && length > schema["maxLength"].get<size_t>()) {
      return Wrong(where, value,
                   "at most " + schema["maxLength"].dump() + " characters (it has " +
                       std::to_string(length) + ")");
    }
  }
  return {};
}

Result<void> CheckValue(const json& schema, const json& value, const std::string& where) {
  if (schema.contains("type")) {
    const json& type = schema["type"];
    const json types = type.is_array() ? type : json::array({type});
    const bool fits =
        std::ranges::any_of(types, [&](const json& each) { return HasType(value, each); });
    std::string expected;
    for (const json& each : types) {
      expected += (expected.empty() ? "" : " or ") + each.get<std::string>();
    }
    if (!fits) return Wrong(where, value, expected);
  }
  if (schema.contains("enum")) {
    const json& values = schema["enum"];
    if (std::ranges::find(values, value) == values.end()) {
      std::string expected = "one of";
      for (const json& each : values) expected += " " + each.dump();
      return Wrong(where, value, expected);
    }
  }
  VADE_CHECK_OK(CheckRange(schema, value, where));
  if (value.is_object()) return CheckObject(schema, value, where);
  if (value.is_array()) return CheckArray(schema, value, where);
  return {};
}

}  // namespace

Result<json> ParseJson(std::string_view text, size_t max_depth) {
  bool too_deep = false;
  const auto watch = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || static_cast<size_t>(depth) > max_depth;
    return !too_deep;  // what is refused is not kept
  };
  json value = json::parse(text, watch, false);
  if (too_deep) {
    return Fail(ErrorCode::kInvalidArgument,
                "JSON nested more than " + std::to_string(max_depth) + " deep");
  }
  if (value.is_discarded()) return Fail(ErrorCode::kInvalidArgument, "not valid JSON");
  return value;
}

Result<void> CheckArguments(const json& schema, const json& value) {
  return CheckValue(schema, value, "arguments");
}

Result<json> ReadArguments(std::string_view schema, std::string_view text) {
  const bool empty = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
  auto arguments = empty ? Result<json>(json::object()) : ParseJson(text);
  if (!arguments) return Fail("arguments", std::move(arguments).error());
  const json takes_none = {{"type", "object"}, {"additionalProperties", false}};
  json parsed = takes_none;
  if (!schema.empty()) {
    VADE_TRY(parsed, ParseJson(schema));
  }
  VADE_CHECK_OK(CheckArguments(parsed, *arguments));
  return arguments;
}

}  // namespace vade::qa
