// Keyword by keyword. Nested schemas of both sides are joined as {"allOf": [a, b]} and looked into
// only when they are written, so nothing recurses here.
#include "engine/runtime/json_schema_merge.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace vade::runtime {
namespace {

constexpr size_t kMaxAlternatives = 256;

// Both schemas at once, without looking into them.
Json Both(const Json& a, const Json& b) {
  if (a == true) return b;
  if (b == true || a == b) return a;
  if (a == false || b == false) return false;
  return Json{{"allOf", Json::array({a, b})}};
}

const Json& At(const Json& schema, const char* keyword, const Json& otherwise) {
  const auto found = schema.find(keyword);
  return found == schema.end() ? otherwise : *found;
}

// What `schema` says about the property `name`.
const Json& PropertyOf(const Json& schema, const std::string& name) {
  static const Json kAnything = true;
  if (const auto properties = schema.find("properties"); properties != schema.end()) {
    if (const auto found = properties->find(name); found != properties->end()) return *found;
  }
  return At(schema, "additionalProperties", kAnything);
}

Json MergeProperties(const Json& a, const Json& b) {
  Json merged = Json::object();
  for (const Json* side : {&a, &b}) {
    const Json none = Json::object();
    for (const auto& [name, unused] : At(*side, "properties", none).items()) {
      if (!merged.contains(name)) merged[name] = Both(PropertyOf(a, name), PropertyOf(b, name));
    }
  }
  return merged;
}

Json TypeSet(const Json& type) { return type.is_array() ? type : Json::array({type}); }

// An integer is a number too.
Json IntersectTypes(const Json& a, const Json& b) {
  Json out = Json::array();
  const auto has = [](const Json& set, const char* name) {
    return std::find(set.begin(), set.end(), name) != set.end();
  };
  const Json a_set = TypeSet(a);
  const Json b_set = TypeSet(b);
  for (const Json& type : a_set) {
    const bool both = std::find(b_set.begin(), b_set.end(), type) != b_set.end();
    if (both || (type == "integer" && has(b_set, "number"))) {
      out.push_back(type);
    } else if (type == "number" && has(b_set, "integer") && !has(a_set, "integer")) {
      out.push_back("integer");
    }
  }
  return out;
}

Json IntersectLists(const Json& a, const Json& b) {
  Json out = Json::array();
  for (const Json& value : a) {
    if (std::find(b.begin(), b.end(), value) != b.end()) out.push_back(value);
  }
  return out;
}

Json UniteLists(const Json& a, const Json& b) {
  Json out = a;
  for (const Json& value : b) {
    if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(value);
  }
  return out;
}

Json Product(const Json& a, const Json& b) {
  Json out = Json::array();
  for (const Json& x : a) {
    for (const Json& y : b) out.push_back(Both(x, y));
  }
  return out;
}

bool IsOneOf(std::string_view keyword, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), keyword) != names.end();
}

Result<Json> MergeKeyword(const std::string& keyword, const Json& a, const Json& b,
                          const std::string& where) {
  if (a == b) return a;
  const bool lists = a.is_array() && b.is_array();
  const bool numbers = a.is_number() && b.is_number();
  if (keyword == "type") return IntersectTypes(a, b);
  if (keyword == "enum" && lists) return IntersectLists(a, b);
  if (keyword == "required" && lists) return UniteLists(a, b);
  if (IsOneOf(keyword, {"anyOf", "oneOf"}) && lists && a.size() * b.size() <= kMaxAlternatives) {
    return Product(a, b);
  }
  if (keyword == "items" && !a.is_array() && !b.is_array()) return Both(a, b);
  if (numbers && IsOneOf(keyword, {"minimum", "exclusiveMinimum", "minLength", "minItems"})) {
    return std::max(a, b);
  }
  if (numbers && IsOneOf(keyword, {"maximum", "exclusiveMaximum", "maxLength", "maxItems"})) {
    return std::min(a, b);
  }
  return SchemaError(where, "two different values of \"" + keyword + "\" cannot be combined",
                     ErrorCode::kUnsupported);
}

}  // namespace

Result<Json> MergeSchemas(const Json& a, const Json& b, const std::string& where) {
  if (a == false || b == false) return Json(false);
  const bool tuple = a.contains("prefixItems") || b.contains("prefixItems");
  const bool items = a.contains("items") || b.contains("items");
  if (tuple && items && a.value("prefixItems", Json()) != b.value("prefixItems", Json())) {
    return SchemaError(where, "prefixItems cannot be combined with other items",
                       ErrorCode::kUnsupported);
  }
  Json merged = a;
  for (const auto& [keyword, value] : b.items()) {
    if (!a.contains(keyword)) {
      merged[keyword] = value;
    } else if (keyword != "properties" && keyword != "additionalProperties") {
      VADE_TRY(merged[keyword], MergeKeyword(keyword, a[keyword], value, where));
    }
  }
  if (merged.contains("properties")) merged["properties"] = MergeProperties(a, b);
  if (merged.contains("additionalProperties")) {
    const Json anything = true;
    merged["additionalProperties"] =
        Both(At(a, "additionalProperties", anything), At(b, "additionalProperties", anything));
  }
  return merged;
}

}  // namespace vade::runtime
