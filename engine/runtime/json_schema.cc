// Writes a rule per schema. References become rule names before their target is written, so that
// recursive schemas end; everything else is written in place.
#include "engine/runtime/json_schema.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/runtime/gbnf_builder.h"
#include "engine/runtime/json_schema_document.h"
#include "engine/runtime/json_schema_merge.h"
#include "engine/runtime/json_schema_overlap.h"
#include "engine/runtime/json_schema_strings.h"
#include "engine/runtime/number_range.h"

namespace vade::runtime {
namespace {

constexpr int kMaxDepth = 100;                            // of schemas written inside schemas
constexpr int64_t kMaxInteger = 999'999'999'999'999'999;  // the 18 digits of the rule `integer`
constexpr int64_t kMaxDecimal = 1'000'000'000'000'000;

class SchemaWriter {
 public:
  explicit SchemaWriter(SchemaDocument& document) : document_(document) {}

  Result<std::string> Write();

 private:
  // Each returns a GBNF item; nothing means that no value can match.
  using Item = std::optional<std::string>;

  Result<Item> WriteSchema(const Json& schema, const std::string& where);
  Result<Item> WriteReference(const std::string& reference, const std::string& where);
  Result<Item> WriteFlat(const Json& flat, const std::string& where);
  Result<Item> WriteAlternatives(const Json& flat, const std::string& keyword,
                                 const std::string& where);
  Result<void> CheckApart(const Json& alternatives, const std::string& where);
  Result<Item> WriteEnum(const Json& flat, const std::string& where);
  Result<Item> WriteType(const std::string& type, const Json& flat, const std::string& where);
  Result<Item> WriteNumber(const Json& flat, bool whole, const std::string& where);
  Result<Item> WriteArray(const Json& flat, const std::string& where);
  Result<Item> WriteObject(const Json& flat, const std::string& where);

  struct Member {
    std::string item;  // "name": value
    bool required;
  };
  Result<std::optional<std::vector<Member>>> WriteMembers(const Json& flat,
                                                          const std::string& where);
  Result<Item> WriteExtraMember(const Json& flat, const std::string& where);
  [[nodiscard]] std::string JoinMembers(const std::vector<Member>& members, const Item& extra);

  SchemaDocument& document_;
  GbnfBuilder grammar_;
  std::map<std::string, std::string> references_;  // pointer -> rule
  int depth_ = 0;
};

Result<std::string> SchemaWriter::Write() {
  VADE_TRY(const Item body, WriteSchema(document_.root(), "#"));
  if (!body) return SchemaError("#", "no value can match");
  return grammar_.Finish(*body);
}

Result<SchemaWriter::Item> SchemaWriter::WriteSchema(const Json& schema, const std::string& where) {
  if (depth_ >= kMaxDepth || grammar_.too_large()) {
    return SchemaError(where, "the schema is too large or too deep", ErrorCode::kResource);
  }
  ++depth_;
  const auto reference = schema.is_object() ? schema.find("$ref") : schema.end();
  const bool pure_reference =
      reference != schema.end() && reference->is_string() &&
      std::all_of(schema.items().begin(), schema.items().end(), [](const auto& entry) {
        return entry.key() == "$ref" || HasNoEffect(entry.key(), entry.value());
      });
  Result<Item> item = Item();
  if (pure_reference) {
    item = WriteReference(reference->get<std::string>(), where);
  } else if (auto flat = document_.Flatten(schema, where)) {
    item = WriteFlat(*flat, where);
  } else {
    item = tl::unexpected<Error>(std::move(flat).error());
  }
  --depth_;
  return item;
}

Result<SchemaWriter::Item> SchemaWriter::WriteReference(const std::string& reference,
                                                        const std::string& where) {
  if (const auto known = references_.find(reference); known != references_.end()) {
    return Item(known->second);
  }
  VADE_TRY(const Json* target, document_.Resolve(reference, where));
  const std::string name = grammar_.Reserve();
  references_.emplace(reference, name);
  VADE_TRY(const Item body, WriteSchema(*target, reference));
  // Rules written meanwhile may already refer to it, so it cannot just be left out.
  if (!body) return SchemaError(where, "no value can match $ref \"" + reference + "\"");
  grammar_.Define(name, *body);
  return Item(name);
}

Result<SchemaWriter::Item> SchemaWriter::WriteFlat(const Json& flat, const std::string& where) {
  if (flat == false) return Item();
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (flat.contains(keyword)) return WriteAlternatives(flat, keyword, where);
  }
  if (flat.contains("enum")) return WriteEnum(flat, where);
  if (flat.empty()) return Item("value");
  const Json types = TypesOf(flat);
  std::vector<std::string> parts;
  for (const Json& type : types) {
    // Every integer is among the numbers already.
    if (type == "integer" && std::find(types.begin(), types.end(), "number") != types.end())
      continue;
    VADE_TRY(Item part, WriteType(type.get<std::string>(), flat, where));
    if (part) parts.push_back(std::move(*part));
  }
  if (parts.empty()) return Item();
  return Item(GbnfChoice(parts));
}

Result<SchemaWriter::Item> SchemaWriter::WriteAlternatives(const Json& flat,
                                                           const std::string& keyword,
                                                           const std::string& where) {
  Json rest = flat;
  rest.erase(keyword);
  const Json& alternatives = flat[keyword];
  if (keyword == "oneOf") VADE_CHECK_OK(CheckApart(alternatives, where));
  std::vector<std::string> parts;
  for (size_t i = 0; i < alternatives.size(); ++i) {
    const std::string place = where + "/" + keyword + "/" + std::to_string(i);
    // An alternative alone keeps its $ref, and may so refer back to this schema.
    const Json both =
        rest.empty() ? alternatives[i] : Json{{"allOf", Json::array({rest, alternatives[i]})}};
    VADE_TRY(Item part, WriteSchema(both, place));
    if (part && std::find(parts.begin(), parts.end(), *part) == parts.end()) {
      parts.push_back(std::move(*part));
    }
  }
  if (parts.empty()) return Item();
  return Item(GbnfChoice(parts));
}

// oneOf: what is written for one alternative must not match another.
Result<void> SchemaWriter::CheckApart(const Json& alternatives, const std::string& where) {
  constexpr size_t kMaxAlternatives = 64;  // each pair is compared
  if (alternatives.size() > kMaxAlternatives) {
    return SchemaError(where, "oneOf with more than 64 alternatives", ErrorCode::kResource);
  }
  for (size_t i = 0; i < alternatives.size(); ++i) {
    for (size_t j = 0; j < alternatives.size(); ++j) {
      if (i == j) continue;
      VADE_TRY(const bool apart, NeverMatches(document_, alternatives[i], alternatives[j], where));
      if (apart) continue;
      return SchemaError(where,
                         "oneOf: a value for alternative " + std::to_string(i) +
                             " may match alternative " + std::to_string(j) +
                             " too; anyOf says that this is allowed",
                         ErrorCode::kUnsupported);
    }
  }
  return {};
}

Result<SchemaWriter::Item> SchemaWriter::WriteEnum(const Json& flat, const std::string& where) {
  for (const auto& [keyword, unused] : flat.items()) {
    if (keyword == "enum" || keyword == "type") continue;
    return SchemaError(where, "enum or const together with \"" + keyword + "\" is not supported",
                       ErrorCode::kUnsupported);
  }
  const Json types = TypesOf(flat);
  std::vector<std::string> parts;
  for (const Json& value : flat["enum"]) {
    const Json type = TypesOf(Json{{"enum", Json::array({value})}})[0];
    const auto allows = [&](const char* name) {
      return std::find(types.begin(), types.end(), name) != types.end();
    };
    if (!allows(type.get<std::string>().c_str()) && !(type == "integer" && allows("number"))) {
      continue;
    }
    parts.push_back(
        GbnfLiteral(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)));
  }
  if (parts.empty()) return Item();
  return Item(GbnfChoice(parts));
}

Result<SchemaWriter::Item> SchemaWriter::WriteType(const std::string& type, const Json& flat,
                                                   const std::string& where) {
  if (type == "null" || type == "boolean") return Item(type);
  if (type == "integer" || type == "number") return WriteNumber(flat, type == "integer", where);
  if (type == "array") return WriteArray(flat, where);
  if (type == "object") return WriteObject(flat, where);
  VADE_TRY(Item inside, StringGbnf(flat, where));
  if (inside && *inside != "string") *inside = grammar_.Add(*inside);
  return inside;
}

Result<SchemaWriter::Item> SchemaWriter::WriteNumber(const Json& flat, bool whole,
                                                     const std::string& where) {
  const auto limit = static_cast<double>(whole ? kMaxInteger : kMaxDecimal);
  NumberBounds bounds;
  for (const char* keyword : {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}) {
    const auto found = flat.find(keyword);
    if (found == flat.end()) continue;
    const bool exclusive = *keyword == 'e';
    const bool is_low = std::string_view(keyword).ends_with("inimum");
    double value = found->get<double>();
    if (value != std::floor(value) && !whole) {
      return SchemaError(where, std::string(keyword) + ": a number bounded by a fraction",
                         ErrorCode::kUnsupported);
    }
    // For whole numbers a fractional bound is the next whole one inside, which is not excluded.
    const bool excluded = exclusive && value == std::floor(value);
    value = is_low ? std::ceil(value) : std::floor(value);
    if (std::fabs(value) > limit) {
      return SchemaError(
          where, std::string(keyword) + ": want at most " + (whole ? "18" : "15") + " digits",
          ErrorCode::kUnsupported);
    }
    int64_t bound =
        found->is_number_integer() ? found->get<int64_t>() : static_cast<int64_t>(value);
    if (whole && excluded) bound += is_low ? 1 : -1;
    auto& slot = is_low ? bounds.low : bounds.high;
    auto& slot_excluded = is_low ? bounds.low_excluded : bounds.high_excluded;
    const bool tighter = !slot || (is_low ? bound > *slot : bound < *slot);
    if (tighter) slot_excluded = excluded && !whole;
    if (!tighter && bound == *slot) slot_excluded |= excluded && !whole;
    if (tighter) slot = bound;
  }
  if (!bounds.low && !bounds.high) return Item(whole ? "integer" : "number");
  if (!whole) return DecimalRangeGbnf(bounds);
  const int64_t low = bounds.low.value_or(-kMaxInteger);
  const int64_t high = bounds.high.value_or(kMaxInteger);
  if (low > high) return Item();
  return Item(IntegerRangeGbnf(low, high));
}

Result<SchemaWriter::Item> SchemaWriter::WriteArray(const Json& flat, const std::string& where) {
  const size_t min = flat.value("minItems", size_t{0});
  const bool unbounded = !flat.contains("maxItems");
  const size_t max = unbounded ? 0 : flat["maxItems"].get<size_t>();
  if (!unbounded && max < min) return Item();

  std::string fixed;  // the items of prefixItems
  size_t num_fixed = 0;
  if (const auto prefix = flat.find("prefixItems"); prefix != flat.end()) {
    for (; num_fixed < prefix->size() && (unbounded || num_fixed < max); ++num_fixed) {
      VADE_TRY(const Item item, WriteSchema((*prefix)[num_fixed],
                                            where + "/prefixItems/" + std::to_string(num_fixed)));
      if (!item) return Item();
      fixed += (num_fixed > 0 ? "\",\" ws " : "") + *item + " ";
    }
  }
  std::string more;
  if (num_fixed == 0 || flat.contains("items") || min > num_fixed) {
    const Json anything = true;
    VADE_TRY(const Item item,
             WriteSchema(flat.contains("items") ? flat["items"] : anything, where + "/items"));
    const size_t least = min > num_fixed ? min - num_fixed : 0;
    const size_t most = max > num_fixed ? max - num_fixed : 0;
    if (!item && least > 0) return Item();
    if (item && (unbounded || most > 0)) {
      const std::string next = grammar_.Add("\",\" ws " + *item);
      if (num_fixed > 0) {
        more = next + GbnfRepeat(least, most, unbounded);
      } else {
        more = *item + " " + next +
               GbnfRepeat(least > 0 ? least - 1 : 0, unbounded ? 0 : most - 1, unbounded);
        if (least == 0) return Item(grammar_.Add("\"[\" ws (" + more + " ws)? \"]\""));
      }
    }
  }
  if (fixed.empty() && more.empty()) return Item("\"[]\"");
  return Item(grammar_.Add("\"[\" ws " + fixed + more + " ws \"]\""));
}

// Nothing: a required property cannot have a value.
Result<std::optional<std::vector<SchemaWriter::Member>>> SchemaWriter::WriteMembers(
    const Json& flat, const std::string& where) {
  const Json anything = true;
  const Json none = Json::object();
  const Json no_names = Json::array();
  const Json& required = flat.contains("required") ? flat["required"] : no_names;
  const Json& extra =
      flat.contains("additionalProperties") ? flat["additionalProperties"] : anything;
  Json properties = flat.contains("properties") ? flat["properties"] : none;
  for (const Json& name : required) {  // a required name that is not listed is an extra property
    if (!properties.contains(name.get<std::string>())) properties[name.get<std::string>()] = extra;
  }
  std::vector<Member> members;
  for (const auto& [name, schema] : properties.items()) {
    const bool is_required = std::find(required.begin(), required.end(), name) != required.end();
    VADE_TRY(const Item value, WriteSchema(schema, where + "/properties/" + name));
    if (!value && is_required) return std::optional<std::vector<Member>>();
    if (!value) continue;
    const std::string key =
        Json(name).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    members.push_back({GbnfLiteral(key + ":") + " ws " + *value, is_required});
  }
  return members;
}

// An additional property, or nothing if there are none.
Result<SchemaWriter::Item> SchemaWriter::WriteExtraMember(const Json& flat,
                                                          const std::string& where) {
  const auto extra = flat.find("additionalProperties");
  if (extra == flat.end() ? flat.contains("properties") : *extra == false) return Item();
  const Json anything = true;
  VADE_TRY(const Item value,
           WriteSchema(extra == flat.end() ? anything : *extra, where + "/additionalProperties"));
  if (!value) return Item();
  std::vector<std::string> names;
  if (flat.contains("properties")) {
    for (const auto& [name, unused] : flat["properties"].items()) names.push_back(name);
  }
  if (flat.contains("required")) {
    for (const Json& name : flat["required"]) names.push_back(name.get<std::string>());
  }
  return Item(grammar_.Add(OtherKeysGbnf(names, grammar_) + " \":\" ws " + *value));
}

// Optional members may be left out, and the commas must still be right. From the last member to
// the first, two rules say what may follow up to the closing brace: when nothing has been written
// yet, and when something has and a comma comes first.
std::string SchemaWriter::JoinMembers(const std::vector<Member>& members, const Item& extra) {
  std::string fresh = "\"\"";
  std::string after = "ws";
  if (extra) {
    after = grammar_.Add("(\",\" ws " + *extra + ")* ws");
    fresh = grammar_.Add("(" + *extra + " " + after + ")?");
  }
  for (size_t i = members.size(); i-- > 0;) {
    const std::string member = grammar_.Add(members[i].item);
    const std::string with = member + " " + after;
    const std::string comma = "\",\" ws " + member;
    fresh = grammar_.Add(members[i].required ? with : "(" + with + " | " + fresh + ")");
    after = grammar_.Add((members[i].required ? comma : "(" + comma + ")?") + " " + after);
  }
  return fresh;
}

Result<SchemaWriter::Item> SchemaWriter::WriteObject(const Json& flat, const std::string& where) {
  const bool anything = !flat.contains("properties") && !flat.contains("required") &&
                        !flat.contains("additionalProperties");
  if (anything) return Item("object");
  VADE_TRY(const auto members, WriteMembers(flat, where));
  if (!members) return Item();
  VADE_TRY(const Item extra, WriteExtraMember(flat, where));
  if (members->empty() && !extra) return Item("\"{}\"");
  return Item(grammar_.Add("\"{\" ws " + JoinMembers(*members, extra) + " \"}\""));
}

}  // namespace

Result<std::string> JsonSchemaGbnf(std::string_view schema) {
  VADE_TRY(SchemaDocument document, SchemaDocument::Parse(schema));
  return SchemaWriter(document).Write();
}

std::string JsonObjectGbnf() { return GbnfBuilder().Finish("object"); }

}  // namespace vade::runtime
