// A small JSON Schema validator for tests: an independent reading of the keywords we generate for.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "engine/base/utf8.h"

namespace vade::runtime {

inline bool HasType(const nlohmann::json& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "number") return value.is_number();
  return value.is_number() && value.get<double>() == std::floor(value.get<double>());
}

/// "" if `value` is valid, else what is wrong. `root` resolves $ref.
inline std::string FindViolation(const nlohmann::json& schema, const nlohmann::json& value,
                                 const nlohmann::json& root) {
  using nlohmann::json;
  if (schema.is_boolean()) return schema == true ? "" : "false schema";
  const auto check = [&](const json& part, const json& target) {
    return FindViolation(part, target, root);
  };
  if (schema.contains("$ref")) {
    const auto pointer = schema["$ref"].get<std::string>().substr(1);
    const std::string wrong = check(root.at(json::json_pointer(pointer)), value);
    if (!wrong.empty()) return wrong;
  }
  if (schema.contains("type")) {
    const json types = schema["type"].is_array() ? schema["type"] : json::array({schema["type"]});
    bool any = false;
    for (const json& type : types) any |= HasType(value, type);
    if (!any) return "type: " + value.dump();
  }
  if (schema.contains("const") && schema["const"] != value) return "const: " + value.dump();
  if (schema.contains("enum")) {
    const json& values = schema["enum"];
    if (std::find(values.begin(), values.end(), value) == values.end()) return "enum";
  }
  if (schema.contains("oneOf")) {
    int matches = 0;
    for (const json& part : schema["oneOf"]) matches += check(part, value).empty() ? 1 : 0;
    if (matches != 1) return "oneOf matched " + std::to_string(matches) + ": " + value.dump();
  }
  if (value.is_number()) {
    const double number = value.get<double>();
    if (schema.contains("minimum") && number < schema["minimum"]) return "minimum";
    if (schema.contains("maximum") && number > schema["maximum"]) return "maximum";
    if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"]) return "xmin";
    if (schema.contains("exclusiveMaximum") && number >= schema["exclusiveMaximum"]) return "xmax";
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    const size_t length = utf8::CountCodePoints(text);
    if (length < schema.value("minLength", size_t{0})) return "minLength";
    if (length > schema.value("maxLength", SIZE_MAX)) return "maxLength";
    const std::string format = schema.value("format", "");
    std::string pattern = schema.value("pattern", "");
    if (format == "uuid") pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
    if (format == "date-time") {
      pattern = "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$";
    }
    if (!std::regex_search(text, std::regex(pattern))) return "pattern: " + text;
  }
  if (value.is_array()) {
    if (value.size() < schema.value("minItems", size_t{0})) return "minItems";
    if (value.size() > schema.value("maxItems", SIZE_MAX)) return "maxItems";
    const json prefix = schema.value("prefixItems", json::array());
    for (size_t i = 0; i < value.size(); ++i) {
      const json& part = i < prefix.size() ? prefix[i] : schema.value("items", json(true));
      if (const std::string wrong = check(part, value[i]); !wrong.empty()) return wrong;
    }
  }
  if (value.is_object()) {
    for (const json& name : schema.value("required", json::array())) {
      if (!value.contains(name.get<std::string>())) return "required " + name.dump();
    }
    const json properties = schema.value("properties", json::object());
    for (const auto& [name, member] : value.items()) {
      const json part = properties.contains(name)
                            ? properties[name]
                            : schema.value("additionalProperties", json(true));
      if (const std::string wrong = check(part, member); !wrong.empty()) return wrong;
    }
  }
  return "";
}

}  // namespace vade::runtime
