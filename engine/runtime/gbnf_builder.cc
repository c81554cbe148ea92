// GBNF text, and the rules of JSON that every schema builds on.
#include "engine/runtime/gbnf_builder.h"

#include <cstdio>
#include <utility>

namespace vade::runtime {
namespace {

// Blanks are optional and bounded: a model cannot go on emitting them. Strings hold no lone
// surrogate escapes and numbers no exponent that overflows a double, so that parsers agree.
constexpr std::string_view kJsonRules = R"gbnf(ws ::= (" " | "\n" " "{0,20})?
hex ::= [0-9a-fA-F]
char ::= [^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" (([0-9a-cA-CefEF] hex | [dD] [0-7]) hex hex | [dD] [89abAB] hex hex "\\u" [dD] [c-fC-F] hex hex))
string ::= "\"" char* "\""
integer ::= "-"? ("0" | [1-9] [0-9]{0,17})
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?
boolean ::= "true" | "false"
null ::= "null"
value ::= object | array | string | number | boolean | null
member ::= string ":" ws value
object ::= "{" ws (member ("," ws member)* ws)? "}"
array ::= "[" ws (value ("," ws value)* ws)? "]"
)gbnf";

void AppendEscaped(char32_t c, std::string& out) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
    out += static_cast<char>(c);
    return;
  }
  char text[16];
  const char* format = c <= 0xFF ? "\\x%02X" : c <= 0xFFFF ? "\\u%04X" : "\\U%08X";
  std::snprintf(text, sizeof text, format, static_cast<unsigned>(c));
  out += text;
}

}  // namespace

std::string GbnfLiteral(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          AppendEscaped(static_cast<char32_t>(c), out);
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string GbnfClass(const std::vector<CodePointRange>& ranges) {
  std::string out = "[";
  for (const CodePointRange& range : ranges) {
    AppendEscaped(range.low, out);
    if (range.high == range.low) continue;
    out += '-';
    AppendEscaped(range.high, out);
  }
  return out + "]";
}

std::string GbnfChoice(const std::vector<std::string>& parts) {
  if (parts.size() == 1) return parts.front();
  std::string out = "(";
  for (const std::string& part : parts) {
    if (out.size() > 1) out += " | ";
    out += part;
  }
  return out + ")";
}

std::string GbnfRepeat(size_t min, size_t max, bool max_unbounded) {
  if (!max_unbounded) {
    if (min == 0 && max == 1) return "?";
    return "{" + std::to_string(min) + (min == max ? "}" : "," + std::to_string(max) + "}");
  }
  if (min <= 1) return min == 0 ? "*" : "+";
  return "{" + std::to_string(min) + ",}";
}

std::string GbnfBuilder::Add(const std::string& body) {
  if (const auto known = by_body_.find(body); known != by_body_.end()) return known->second;
  std::string name = Reserve();
  by_body_.emplace(body, name);
  Define(name, body);
  return name;
}

std::string GbnfBuilder::Reserve() { return "r" + std::to_string(next_name_++); }

void GbnfBuilder::Define(const std::string& name, std::string body) {
  bytes_ += name.size() + body.size() + 6;
  rules_.emplace_back(name, std::move(body));
}

std::string GbnfBuilder::Finish(const std::string& body) const {
  std::string out = "root ::= " + body + "\n";
  for (const auto& [name, rule_body] : rules_) out += name + " ::= " + rule_body + "\n";
  out += kJsonRules;
  return out;
}

}  // namespace vade::runtime
