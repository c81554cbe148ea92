// Limits, keyword checks, JSON pointers, and flattening.
#include "engine/runtime/json_schema_document.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/runtime/json_schema_merge.h"

namespace vade::runtime {
namespace {

constexpr auto kAnnotations = std::to_array<std::string_view>(
    {"$comment", "$defs", "$id", "$schema", "default", "definitions", "deprecated", "description",
     "discriminator", "example", "examples", "id", "readOnly", "title", "writeOnly"});

bool IsText(const Json& value) { return value.is_string(); }
bool IsCount(const Json& value) { return value.is_number_unsigned(); }
bool IsNumber(const Json& value) { return value.is_number(); }
bool IsSchema(const Json& value) { return value.is_object() || value.is_boolean(); }
bool IsObject(const Json& value) { return value.is_object(); }
bool IsNonEmptyList(const Json& value) { return value.is_array() && !value.empty(); }
bool IsTextList(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), IsText);
}
bool IsType(const Json& value) {
  const auto known = [](const Json& name) {
    static const Json kTypes = {"object",  "array",   "string", "number",
                                "integer", "boolean", "null"};
    return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
  };
  return value.is_array() ? !value.empty() && std::all_of(value.begin(), value.end(), known)
                          : known(value);
}

struct Keyword {
  std::string_view name;
  bool (*accepts)(const Json& value);
  const char* want;
};

constexpr auto kKeywords = std::to_array<Keyword>({
    {"$ref", IsText, "a string"},
    {"additionalProperties", IsSchema, "a schema"},
    {"allOf", IsNonEmptyList, "a list of schemas"},
    {"anyOf", IsNonEmptyList, "a list of schemas"},
    {"const", nullptr, ""},
    {"enum", IsNonEmptyList, "a list of values"},
    {"exclusiveMaximum", IsNumber, "a number"},
    {"exclusiveMinimum", IsNumber, "a number"},
    {"format", IsText, "a string"},
    {"items", IsSchema, "a schema (a list of them is prefixItems)"},
    {"maxItems", IsCount, "a whole number from 0"},
    {"maxLength", IsCount, "a whole number from 0"},
    {"maximum", IsNumber, "a number"},
    {"minItems", IsCount, "a whole number from 0"},
    {"minLength", IsCount, "a whole number from 0"},
    {"minimum", IsNumber, "a number"},
    {"oneOf", IsNonEmptyList, "a list of schemas"},
    {"pattern", IsText, "a string"},
    {"prefixItems", IsNonEmptyList, "a list of schemas"},
    {"properties", IsObject, "an object"},
    {"required", IsTextList, "a list of strings"},
    {"type", IsType, "object, array, string, number, integer, boolean, null or a list of them"},
});

Result<void> CheckKeywords(const Json& schema, const std::string& where) {
  for (const auto& entry : schema.items()) {
    const std::string& keyword = entry.key();  // clang 14 captures no structured bindings
    const Json& value = entry.value();
    if (HasNoEffect(keyword, value)) continue;
    const auto known = std::find_if(kKeywords.begin(), kKeywords.end(),
                                    [&](const Keyword& k) { return k.name == keyword; });
    if (known == kKeywords.end()) {
      return SchemaError(where, "keyword \"" + utf8::Escape(keyword) + "\" is not supported",
                         ErrorCode::kUnsupported);
    }
    if (known->accepts != nullptr && !known->accepts(value)) {
      return SchemaError(where, keyword + ": want " + known->want);
    }
  }
  return {};
}

// Drops values beyond the limits while they are read.
class LimitedReader {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json&) {
    if (event == Json::parse_event_t::object_end || event == Json::parse_event_t::array_end) {
      return true;
    }
    if (depth > SchemaDocument::kMaxDepth) too_deep = true;
    if (++values > SchemaDocument::kMaxValues) too_many = true;
    return !too_deep && !too_many;
  }
  bool too_deep = false;
  bool too_many = false;
  size_t values = 0;
};

size_t CountValues(const Json& value) {
  size_t count = 1;
  if (value.is_structured()) {
    for (const Json& child : value) count += CountValues(child);
  }
  return count;
}

// One step of a JSON pointer, with ~0 ~1 and %XX undone.
std::string Unescape(std::string_view step) {
  const auto hex = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char letter = static_cast<char>(c | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
  };
  std::string out;
  for (size_t i = 0; i < step.size(); ++i) {
    if (step[i] == '%' && i + 2 < step.size() && hex(step[i + 1]) >= 0 && hex(step[i + 2]) >= 0) {
      out += static_cast<char>(hex(step[i + 1]) * 16 + hex(step[i + 2]));
      i += 2;
    } else {
      out += step[i];
    }
  }
  for (const auto& [from, to] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
    for (size_t at = 0; (at = out.find(from, at)) != out.npos; ++at) out.replace(at, 2, to);
  }
  return out;
}

}  // namespace

bool HasNoEffect(const std::string& keyword, const Json& value) {
  if (keyword == "uniqueItems") return value == false;
  if (keyword == "minProperties") return value == 0;
  return keyword.starts_with("x-") ||
         std::find(kAnnotations.begin(), kAnnotations.end(), keyword) != kAnnotations.end();
}

tl::unexpected<Error> SchemaError(const std::string& where, const std::string& what,
                                  ErrorCode code) {
  return Fail(code, "schema at " + utf8::Escape(where) + ": " + what);
}

Result<SchemaDocument> SchemaDocument::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Fail(ErrorCode::kResource, "schema: got " + std::to_string(text.size()) +
                                          " bytes, want at most " + std::to_string(kMaxBytes));
  }
  LimitedReader reader;
  SchemaDocument document;
  document.root_ = Json::parse(text, std::ref(reader), /*allow_exceptions=*/false);
  if (reader.too_deep) {
    return Fail(ErrorCode::kResource,
                "schema: nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  if (reader.too_many) {
    return Fail(ErrorCode::kResource,
                "schema: more than " + std::to_string(kMaxValues) + " values");
  }
  if (document.root_.is_discarded()) {
    return Fail(ErrorCode::kInvalidArgument, "schema: got text that is not JSON");
  }
  return document;
}

Result<const Json*> SchemaDocument::Resolve(const std::string& reference,
                                            const std::string& where) const {
  const std::string shown = "$ref \"" + utf8::Escape(reference.substr(0, 200)) + "\"";
  if (reference != "#" && !reference.starts_with("#/")) {
    return SchemaError(where, shown + " is not inside the document (#/...)",
                       ErrorCode::kUnsupported);
  }
  const Json* at = &root_;
  std::string_view rest = std::string_view(reference).substr(1);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string step = Unescape(rest.substr(0, end));
    rest.remove_prefix(end);
    const Json* next = nullptr;
    if (at->is_object() && at->contains(step)) next = &(*at)[step];
    if (at->is_array() && !step.empty() && step.size() < 6 &&
        step.find_first_not_of("0123456789") == step.npos) {
      const auto index = static_cast<size_t>(std::stoul(step));
      if (index < at->size()) next = &(*at)[index];
    }
    if (next == nullptr) return SchemaError(where, shown + " points to nothing");
    at = next;
  }
  return at;
}

Result<Json> SchemaDocument::Flatten(const Json& schema, const std::string& where, int depth) {
  if (depth > kMaxDepth) {
    return SchemaError(where, "$ref and allOf refer to each other without end, or too deeply",
                       ErrorCode::kResource);
  }
  if (schema.is_boolean()) return schema == true ? Json::object() : Json(false);
  if (!schema.is_object()) return SchemaError(where, "want an object, true or false");
  VADE_CHECK_OK(CheckKeywords(schema, where));
  Json flat = Json::object();
  for (const auto& [keyword, value] : schema.items()) {
    if (keyword == "$ref" || keyword == "allOf" || keyword == "const") continue;
    if (!HasNoEffect(keyword, value)) flat[keyword] = value;
  }
  if (const auto constant = schema.find("const"); constant != schema.end()) {
    VADE_TRY(flat, MergeSchemas(flat, Json{{"enum", Json::array({*constant})}}, where));
  }
  if (const auto reference = schema.find("$ref"); reference != schema.end()) {
    const std::string name = reference->get<std::string>();
    VADE_TRY(const Json* target, Resolve(name, where));
    VADE_TRY(const Json other, Flatten(*target, name, depth + 1));
    VADE_TRY(flat, MergeSchemas(flat, other, where));
  }
  if (const auto parts = schema.find("allOf"); parts != schema.end()) {
    for (const Json& part : *parts) {
      VADE_TRY(const Json other, Flatten(part, where + "/allOf", depth + 1));
      VADE_TRY(flat, MergeSchemas(flat, other, where));
    }
  }
  constexpr size_t kPerCall = 30;
  work_ += kPerCall + CountValues(flat);
  if (work_ > kMaxWork) {
    return SchemaError(where, "the schema, with its references written out, is too large",
                       ErrorCode::kResource);
  }
  return flat;
}

}  // namespace vade::runtime
