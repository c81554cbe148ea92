// Recursive descent over GBNF; only parentheses recurse, and their depth is limited.
#include "engine/runtime/gbnf_parser.h"

#include <map>
#include <optional>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::runtime {
namespace {

constexpr size_t kMaxQuantifiers = 4;  // each, as in (x?)*, nests the tree once more

bool IsNameChar(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

std::optional<uint32_t> HexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

class Parser {
 public:
  Parser(std::string_view text, const GrammarLimits& limits) : text_(text), limits_(limits) {}

  Result<GbnfSyntax> Parse();

 private:
  using Kind = GbnfExpr::Kind;

  [[nodiscard]] char Peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] bool AtEnd() const noexcept { return at_ >= text_.size(); }
  bool Take(std::string_view token) noexcept {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void SkipBlank(bool newlines) noexcept;
  [[nodiscard]] tl::unexpected<Error> ErrorAt(size_t offset, std::string_view what,
                                              ErrorCode code = ErrorCode::kInvalidArgument) const;
  [[nodiscard]] std::string Found() const;

  Result<size_t> ParseName();  // -> rule index
  Result<void> ParseRule();
  Result<GbnfExpr> ParseChoice(size_t depth);
  Result<GbnfExpr> ParseSequence(size_t depth);
  Result<std::optional<GbnfExpr>> ParseItem(size_t depth);
  Result<void> ParseQuantifiers(GbnfExpr& item, bool newlines);
  Result<uint32_t> ParseCount();
  Result<GbnfExpr> ParseLiteral();
  Result<GbnfExpr> ParseClass();
  Result<char32_t> ParseChar();
  Result<char32_t> ParseEscape();

  std::string_view text_;
  const GrammarLimits& limits_;
  size_t at_ = 0;
  GbnfSyntax syntax_;
  std::map<std::string, size_t, std::less<>> index_;
};

tl::unexpected<Error> Parser::ErrorAt(size_t offset, std::string_view what, ErrorCode code) const {
  size_t line = 1;
  size_t line_begin = 0;
  for (size_t i = 0; i < offset && i < text_.size(); ++i) {
    if (text_[i] != '\n') continue;
    ++line;
    line_begin = i + 1;
  }
  const size_t column = utf8::CountCodePoints(text_.substr(line_begin, offset - line_begin)) + 1;
  return Fail(code, "grammar:" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                        std::string(what));
}

std::string Parser::Found() const {
  if (AtEnd()) return "the end of the text";
  const size_t length = utf8::Decode(text_, at_).length;
  return "\"" + utf8::Escape(text_.substr(at_, length)) + "\"";
}

void Parser::SkipBlank(bool newlines) noexcept {
  while (!AtEnd()) {
    const char c = Peek();
    if (c == '#') {
      while (!AtEnd() && Peek() != '\n' && Peek() != '\r') ++at_;
    } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
      ++at_;
    } else {
      return;
    }
  }
}

Result<size_t> Parser::ParseName() {
  const size_t begin = at_;
  while (IsNameChar(Peek())) ++at_;
  const std::string_view name = text_.substr(begin, at_ - begin);
  if (name.empty()) return ErrorAt(begin, "got " + Found() + ", want a rule name");
  if (const auto known = index_.find(name); known != index_.end()) return known->second;
  if (syntax_.rules.size() >= limits_.max_rules) {
    return ErrorAt(begin, "more than " + std::to_string(limits_.max_rules) + " rules",
                   ErrorCode::kResource);
  }
  index_.emplace(name, syntax_.rules.size());
  syntax_.rules.push_back({std::string(name), {}, begin, false});
  return syntax_.rules.size() - 1;
}

Result<void> Parser::ParseRule() {
  const size_t begin = at_;
  VADE_TRY(const size_t rule, ParseName());
  SkipBlank(false);
  if (!Take("::=")) return ErrorAt(at_, "got " + Found() + ", want ::= after the rule name");
  SkipBlank(true);
  VADE_TRY(GbnfExpr body, ParseChoice(0));
  SkipBlank(false);
  if (!AtEnd() && Peek() != '\n' && Peek() != '\r') {
    return ErrorAt(at_, "got " + Found() + ", want the end of the rule");
  }
  GbnfRule& target = syntax_.rules[rule];
  if (target.defined) {
    return ErrorAt(begin, "rule \"" + target.name + "\" is defined twice");
  }
  target.body = std::move(body);
  target.defined = true;
  return {};
}

Result<GbnfExpr> Parser::ParseChoice(size_t depth) {
  GbnfExpr choice{.kind = Kind::kChoice};
  do {
    // A new line after "|" goes on with the rule, even outside of parentheses.
    SkipBlank(depth > 0 || !choice.children.empty());
    VADE_TRY(GbnfExpr sequence, ParseSequence(depth));
    choice.children.push_back(std::move(sequence));
  } while (Take("|"));
  if (choice.children.size() > 1) return choice;
  GbnfExpr only = std::move(choice.children.front());
  return only;
}

Result<GbnfExpr> Parser::ParseSequence(size_t depth) {
  GbnfExpr sequence{.kind = Kind::kSequence};
  while (true) {
    VADE_TRY(std::optional<GbnfExpr> item, ParseItem(depth));
    if (!item) break;
    SkipBlank(depth > 0);
    VADE_CHECK_OK(ParseQuantifiers(*item, depth > 0));
    sequence.children.push_back(std::move(*item));
  }
  return sequence;
}

// Nothing: the sequence ends here.
Result<std::optional<GbnfExpr>> Parser::ParseItem(size_t depth) {
  const char c = Peek();
  const size_t begin = at_;
  if (c == '"') return ParseLiteral();
  if (c == '[') return ParseClass();
  if (c == '.') {
    ++at_;
    return GbnfExpr{.kind = Kind::kChars, .ranges = Complement({})};
  }
  if (c == '(') {
    if (depth >= limits_.max_nesting) {
      return ErrorAt(begin, "parentheses nested deeper than " + std::to_string(limits_.max_nesting),
                     ErrorCode::kResource);
    }
    ++at_;
    VADE_TRY(GbnfExpr inner, ParseChoice(depth + 1));
    SkipBlank(true);
    if (!Take(")")) return ErrorAt(at_, "got " + Found() + ", want ) to close a group");
    return inner;
  }
  if (c == '<' || c == '!') {
    return ErrorAt(begin, "token references (<...>) are not supported; write the text instead",
                   ErrorCode::kUnsupported);
  }
  if (!IsNameChar(c)) return std::optional<GbnfExpr>();
  VADE_TRY(const size_t rule, ParseName());
  return GbnfExpr{.kind = Kind::kRule, .rule = static_cast<uint32_t>(rule)};
}

Result<void> Parser::ParseQuantifiers(GbnfExpr& item, bool newlines) {
  for (size_t count = 0;; ++count) {
    const size_t begin = at_;
    uint32_t min = 0;
    uint32_t max = GbnfExpr::kUnbounded;
    if (Take("+")) {
      min = 1;
    } else if (Take("?")) {
      max = 1;
    } else if (Take("{")) {
      VADE_TRY(min, ParseCount());
      max = min;
      if (Take(",")) {
        SkipBlank(false);
        max = GbnfExpr::kUnbounded;
        if (Peek() != '}') {
          VADE_TRY(max, ParseCount());
        }
      }
      if (!Take("}")) return ErrorAt(at_, "got " + Found() + ", want } to close a repetition");
      if (max < min) return ErrorAt(begin, "a repetition whose maximum is below its minimum");
    } else if (!Take("*")) {
      return {};
    }
    if (count >= kMaxQuantifiers) {
      return ErrorAt(begin,
                     "more than " + std::to_string(kMaxQuantifiers) + " quantifiers on one item",
                     ErrorCode::kResource);
    }
    SkipBlank(newlines);
    GbnfExpr repeat{.kind = Kind::kRepeat, .min = min, .max = max};
    repeat.children.push_back(std::move(item));
    item = std::move(repeat);
  }
}

Result<uint32_t> Parser::ParseCount() {
  SkipBlank(false);
  const size_t begin = at_;
  uint64_t value = 0;
  while (Peek() >= '0' && Peek() <= '9') {
    value = value * 10 + static_cast<uint64_t>(Peek() - '0');
    ++at_;
    if (value > limits_.max_repeat) {
      return ErrorAt(begin,
                     "a repetition of more than " + std::to_string(limits_.max_repeat) + " times",
                     ErrorCode::kResource);
    }
  }
  if (at_ == begin) return ErrorAt(begin, "got " + Found() + ", want a number of repetitions");
  SkipBlank(false);
  return static_cast<uint32_t>(value);
}

Result<GbnfExpr> Parser::ParseLiteral() {
  const size_t begin = at_;
  ++at_;
  GbnfExpr literal{.kind = Kind::kLiteral};
  while (Peek() != '"' || AtEnd()) {
    if (AtEnd()) return ErrorAt(begin, "a string without its closing \"");
    VADE_TRY(const char32_t c, ParseChar());
    utf8::Append(c, literal.text);
  }
  ++at_;
  return literal;
}

Result<GbnfExpr> Parser::ParseClass() {
  const size_t begin = at_;
  ++at_;
  const bool negated = Take("^");
  std::vector<CodePointRange> ranges;
  while (Peek() != ']' || AtEnd()) {
    if (AtEnd()) return ErrorAt(begin, "a character class without its closing ]");
    const size_t range_begin = at_;
    VADE_TRY(const char32_t low, ParseChar());
    char32_t high = low;
    if (Peek() == '-' && text_.substr(at_, 2) != "-]") {  // a last "-" stands for itself
      ++at_;
      if (AtEnd()) return ErrorAt(begin, "a character class without its closing ]");
      VADE_TRY(high, ParseChar());
      if (high < low) return ErrorAt(range_begin, "a range whose end is below its start");
    }
    ranges.push_back({low, high});
  }
  ++at_;
  GbnfExpr chars{.kind = Kind::kChars};
  chars.ranges = negated ? Complement(std::move(ranges)) : Normalised(std::move(ranges));
  if (chars.ranges.empty()) return ErrorAt(begin, "a character class that matches nothing");
  return chars;
}

Result<char32_t> Parser::ParseChar() {
  if (Peek() == '\\') return ParseEscape();
  const utf8::CodePoint c = utf8::Decode(text_, at_);
  if (!c.valid) return ErrorAt(at_, "invalid UTF-8");
  at_ += c.length;
  return c.value;
}

Result<char32_t> Parser::ParseEscape() {
  const size_t begin = at_;
  ++at_;
  const char c = Peek();
  const bool end = AtEnd();
  ++at_;
  size_t digits = 0;
  switch (end ? '\0' : c) {
    case 'n':
      return U'\n';
    case 'r':
      return U'\r';
    case 't':
      return U'\t';
    case '\\':
    case '"':
    case '[':
    case ']':
    case '-':
    case '^':
      return static_cast<char32_t>(c);
    case 'x':
      digits = 2;
      break;
    case 'u':
      digits = 4;
      break;
    case 'U':
      digits = 8;
      break;
    default:
      at_ = begin;
      return ErrorAt(begin,
                     "unknown escape, want one of \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\^ "
                     "\\xXX \\uXXXX \\UXXXXXXXX");
  }
  uint32_t value = 0;
  for (size_t i = 0; i < digits; ++i, ++at_) {
    const auto digit = HexDigit(Peek());
    if (!digit) {
      return ErrorAt(begin, "an escape with fewer than " + std::to_string(digits) + " hex digits");
    }
    value = value << 4 | *digit;
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return ErrorAt(begin, "an escape that is not a Unicode character");
  }
  return static_cast<char32_t>(value);
}

Result<GbnfSyntax> Parser::Parse() {
  if (text_.size() > limits_.max_text_bytes) {
    return Fail(ErrorCode::kResource, "grammar: got " + std::to_string(text_.size()) +
                                          " bytes, want at most " +
                                          std::to_string(limits_.max_text_bytes));
  }
  for (SkipBlank(true); !AtEnd(); SkipBlank(true)) VADE_CHECK_OK(ParseRule());
  for (const GbnfRule& rule : syntax_.rules) {
    if (!rule.defined) {
      return ErrorAt(rule.offset, "rule \"" + utf8::Escape(rule.name) + "\" is not defined");
    }
  }
  const auto root = index_.find("root");
  if (root == index_.end()) return ErrorAt(0, "there is no rule named root");
  syntax_.root = root->second;
  return std::move(syntax_);
}

}  // namespace

Result<GbnfSyntax> ParseGbnf(std::string_view text, const GrammarLimits& limits) {
  return Parser(text, limits).Parse();
}

}  // namespace vade::runtime
