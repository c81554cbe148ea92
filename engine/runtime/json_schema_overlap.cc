// The usual ways in which alternatives differ: type, a constant property, a required property.
#include "engine/runtime/json_schema_overlap.h"

#include <algorithm>
#include <string_view>

namespace vade::runtime {
namespace {

constexpr int kMaxDepth = 4;  // of properties looked into

std::string_view TypeOfValue(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "boolean";
  if (value.is_string()) return "string";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  return value.is_number_float() ? "number" : "integer";
}

bool Contains(const Json& list, const Json& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool TypesDisjoint(const Json& a, const Json& b) {
  const auto number = [](const Json& type) { return type == "integer" || type == "number"; };
  return std::none_of(a.begin(), a.end(), [&](const Json& x) {
    return std::any_of(b.begin(), b.end(),
                       [&](const Json& y) { return x == y || (number(x) && number(y)); });
  });
}

Json Required(const Json& schema) {
  const auto found = schema.find("required");
  return found != schema.end() && found->is_array() ? *found : Json::array();
}

const Json* Property(const Json& schema, const Json& name) {
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !name.is_string()) return nullptr;
  const auto found = properties->find(name.get<std::string>());
  return found == properties->end() ? nullptr : &*found;
}

bool WritesExtras(const Json& schema) {
  const auto extra = schema.find("additionalProperties");
  return extra == schema.end() ? !schema.contains("properties") : *extra != false;
}

// `written` is an object: does a property tell it from `other`?
Result<bool> ObjectNeverMatches(SchemaDocument& document, const Json& written, const Json& other,
                                const std::string& where, int depth) {
  for (const Json& name : Required(other)) {
    const bool always = Contains(Required(written), name);
    if (!always && Property(written, name) == nullptr && !WritesExtras(written)) return true;
  }
  for (const Json& name : Required(written)) {
    const Json* mine = Property(written, name);
    const Json* theirs = Property(other, name);
    if (theirs == nullptr && other.value("additionalProperties", Json()) == false) return true;
    if (mine == nullptr || theirs == nullptr || depth >= kMaxDepth) continue;
    VADE_TRY(const bool apart, NeverMatches(document, *mine, *theirs, where, depth + 1));
    if (apart) return true;
  }
  return false;
}

}  // namespace

Json TypesOf(const Json& flat) {
  if (const auto type = flat.find("type"); type != flat.end()) {
    return type->is_array() ? *type : Json::array({*type});
  }
  if (const auto values = flat.find("enum"); values != flat.end()) {
    Json types = Json::array();
    for (const Json& value : *values) types.push_back(TypeOfValue(value));
    return types;
  }
  const auto has = [&](std::initializer_list<const char*> keywords) {
    return std::any_of(keywords.begin(), keywords.end(),
                       [&](const char* keyword) { return flat.contains(keyword); });
  };
  Json types = Json::array();
  if (has({"properties", "required", "additionalProperties"})) types.push_back("object");
  if (has({"items", "prefixItems", "minItems", "maxItems"})) types.push_back("array");
  if (has({"minLength", "maxLength", "pattern", "format"})) types.push_back("string");
  if (has({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})) {
    types.push_back("number");
  }
  if (!types.empty()) return types;
  return Json::array({"object", "array", "string", "number", "boolean", "null"});
}

Result<bool> NeverMatches(SchemaDocument& document, const Json& written, const Json& other,
                          const std::string& where, int depth) {
  VADE_TRY(const Json a, document.Flatten(written, where));
  VADE_TRY(const Json b, document.Flatten(other, where));
  if (a == false || b == false) return true;
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (a.contains(keyword) || b.contains(keyword)) return false;
  }
  // Keywords do not imply a type for what is only matched.
  const Json any_type = TypesOf(Json::object());
  const bool other_is_typed = b.contains("type") || b.contains("enum");
  if (TypesDisjoint(TypesOf(a), other_is_typed ? TypesOf(b) : any_type)) return true;
  const auto a_values = a.find("enum");
  const auto b_values = b.find("enum");
  if (a_values != a.end() && b_values != b.end()) {
    return std::none_of(a_values->begin(), a_values->end(),
                        [&](const Json& value) { return Contains(*b_values, value); });
  }
  // The property test speaks of objects only; other types both sides share are not told apart.
  if (TypesOf(a) != Json::array({"object"})) return false;
  return ObjectNeverMatches(document, a, b, where, depth);
}

}  // namespace vade::runtime
