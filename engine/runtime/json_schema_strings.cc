// Formats are RFC 3339 and RFC 4122 to the digit: months have their days, leap years their 29th.
#include "engine/runtime/json_schema_strings.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "engine/base/utf8.h"
#include "engine/runtime/regex_grammar.h"

namespace vade::runtime {
namespace {

constexpr std::string_view kDate =
    R"(([0-9]{4} "-" (("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])
 | ("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30")
 | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))
 | ([0-9]{2} ("0" [48] | [2468] [048] | [13579] [26]) | ([02468] [048] | [13579] [26]) "00") "-02-29"))";
constexpr std::string_view kTime =
    R"((([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,9})?
 ("Z" | [+\-] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])))";
constexpr std::string_view kUuid = "(hex{8} \"-\" hex{4} \"-\" hex{4} \"-\" hex{4} \"-\" hex{12})";

std::string Quoted(const std::string& inside) { return "(\"\\\"\" " + inside + " \"\\\"\")"; }

std::optional<std::string> FormatGbnf(const std::string& format) {
  if (format == "date") return std::string(kDate);
  if (format == "time") return std::string(kTime);
  if (format == "date-time") return std::string(kDate) + " \"T\" " + std::string(kTime);
  if (format == "uuid") return std::string(kUuid);
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> StringGbnf(const Json& flat, const std::string& where) {
  const auto pattern = flat.find("pattern");
  const auto format = flat.find("format");
  const bool has_length = flat.contains("minLength") || flat.contains("maxLength");
  if ((pattern != flat.end()) + (format != flat.end()) + has_length > 1) {
    return SchemaError(where, "pattern, format and lengths cannot be combined",
                       ErrorCode::kUnsupported);
  }
  if (pattern != flat.end()) {
    auto inside = RegexGbnf(pattern->get<std::string>());
    if (!inside) return SchemaError(where, inside.error().message, inside.error().code);
    return Quoted(*inside);
  }
  if (format != flat.end()) {
    const auto inside = FormatGbnf(format->get<std::string>());
    if (inside) return Quoted(*inside);
    return SchemaError(where,
                       "format \"" + utf8::Escape(format->get<std::string>()) +
                           "\" is not supported, want date, time, date-time or uuid",
                       ErrorCode::kUnsupported);
  }
  if (!has_length) return std::optional<std::string>("string");
  const size_t min = flat.value("minLength", size_t{0});
  const bool unbounded = !flat.contains("maxLength");
  const size_t max = unbounded ? 0 : flat["maxLength"].get<size_t>();
  if (!unbounded && max < min) return std::optional<std::string>();
  return Quoted("char" + GbnfRepeat(min, max, unbounded));
}

// A trie of the names by code points: at each node the text may leave the trie by another character
// and go on freely, or end where no name ends.
std::string OtherKeysGbnf(const std::vector<std::string>& names, GbnfBuilder& grammar) {
  const auto plain_but = [](std::vector<CodePointRange> excluded) {
    for (const CodePointRange range :
         {CodePointRange{0, 0x1F}, {'"', '"'}, {'\\', '\\'}, {0x7F, 0x7F}}) {
      excluded.push_back(range);
    }
    return GbnfClass(Complement(std::move(excluded)));
  };
  struct Node {
    std::map<char32_t, size_t> children;
    bool is_name = false;
    std::string rule;
  };
  std::vector<Node> trie(1);
  for (const std::string& name : names) {
    size_t at = 0;
    for (size_t i = 0; i < name.size();) {
      const utf8::CodePoint c = utf8::Decode(name, i);
      i += c.length;
      const auto [child, added] = trie[at].children.try_emplace(c.value, trie.size());
      const size_t next = child->second;
      if (added) trie.emplace_back();
      at = next;
    }
    trie[at].is_name = true;
  }
  const std::string free = grammar.Add(plain_but({}) + "*");
  for (size_t i = trie.size(); i-- > 0;) {  // children stand after their parents
    Node& node = trie[i];
    std::vector<CodePointRange> inside;
    std::string body;
    for (const auto& [c, child] : node.children) {
      inside.push_back({c, c});
      // A character that must be escaped cannot begin a key written without escapes.
      if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) continue;
      body += GbnfClass({{c, c}}) + " " + trie[child].rule + " | ";
    }
    body += plain_but(std::move(inside)) + " " + free;
    if (!node.is_name) body += " | \"\"";
    node.rule = grammar.Add(body);
  }
  return "\"\\\"\" " + trie[0].rule + " \"\\\"\"";
}

}  // namespace vade::runtime
