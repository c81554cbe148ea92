// Recursive descent over the pattern; characters come out as JSON writes them inside a string.
#include "engine/runtime/regex_grammar.h"

#include <optional>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/runtime/gbnf_builder.h"
#include "engine/runtime/utf8_ranges.h"

namespace vade::runtime {
namespace {

using Ranges = std::vector<CodePointRange>;

constexpr size_t kMaxNesting = 50;
constexpr size_t kMaxRepeat = 100'000;

const Ranges kDigits = {{'0', '9'}};
const Ranges kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Ranges kSpace = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                       {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                       {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const Ranges kLineEnds = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

// Code points of `set` as they stand inside a JSON string.
std::string JsonChars(const Ranges& set) {
  static constexpr std::pair<char32_t, char> kShort[] = {
      {'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\b', 'b'}, {'\f', 'f'}};
  const auto has = [&](char32_t c) { return !Intersection(set, {{c, c}}).empty(); };
  std::vector<std::string> parts;
  const Ranges plain = Intersection(set, Complement({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}));
  if (!plain.empty()) parts.push_back(GbnfClass(plain));
  for (const auto& [c, escape] : kShort) {
    if (has(c)) parts.push_back(GbnfLiteral(std::string("\\") + escape));
  }
  for (char32_t c = 0; c < 0x20 && parts.empty(); ++c) {  // control characters only
    constexpr char kHex[] = "0123456789abcdef";
    if (has(c)) parts.push_back(GbnfLiteral(std::string("\\u00") + kHex[c >> 4] + kHex[c & 15]));
  }
  return GbnfChoice(parts);
}

class RegexParser {
 public:
  explicit RegexParser(std::string_view text) : text_(text) {}

  Result<std::string> Parse();

 private:
  [[nodiscard]] bool AtEnd() const noexcept { return at_ >= text_.size(); }
  [[nodiscard]] char Peek() const noexcept { return AtEnd() ? '\0' : text_[at_]; }
  bool Take(std::string_view token) noexcept {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  [[nodiscard]] tl::unexpected<Error> FailHere(std::string_view what,
                                               ErrorCode code = ErrorCode::kUnsupported) const {
    return Fail(code, "pattern at character " +
                          std::to_string(utf8::CountCodePoints(text_.substr(0, at_)) + 1) + ": " +
                          std::string(what));
  }
  Result<std::string> ParseChoice(size_t depth);
  Result<std::string> ParseSequence(size_t depth);
  Result<std::string> ParseAtom(size_t depth);
  Result<std::string> ParseQuantifier();
  Result<size_t> ParseCount();
  Result<Ranges> ParseClass();
  Result<Ranges> ParseClassAtom();
  Result<Ranges> ParseEscape(bool in_class);
  Result<char32_t> ParseHex(size_t digits);

  std::string_view text_;
  size_t at_ = 0;
};

Result<std::string> RegexParser::Parse() {
  if (!utf8::IsValid(text_)) return FailHere("invalid UTF-8", ErrorCode::kInvalidArgument);
  VADE_TRY(std::string body, ParseChoice(0));
  if (!AtEnd()) return FailHere("a ) without its (", ErrorCode::kInvalidArgument);
  return body;
}

Result<std::string> RegexParser::ParseChoice(size_t depth) {
  std::vector<std::string> parts;
  do {
    VADE_TRY(std::string part, ParseSequence(depth));
    parts.push_back(std::move(part));
  } while (Take("|"));
  return parts.size() == 1 ? "(" + parts.front() + ")" : GbnfChoice(parts);
}

// At depth 0 an alternative without ^ or $ matches anywhere, so any text may stand on that side.
Result<std::string> RegexParser::ParseSequence(size_t depth) {
  std::string out = depth == 0 && !Take("^") ? "char* " : "";
  bool open_end = depth == 0;
  while (!AtEnd() && Peek() != '|' && Peek() != ')') {
    if (depth == 0 && Peek() == '$') {
      ++at_;
      if (!AtEnd() && Peek() != '|') return FailHere("$ is supported at the end only");
      open_end = false;
      break;
    }
    VADE_TRY(const std::string atom, ParseAtom(depth));
    VADE_TRY(const std::string quantifier, ParseQuantifier());
    out += atom + quantifier + " ";
  }
  if (open_end) out += "char*";
  return out.empty() ? "\"\"" : out;
}

Result<std::string> RegexParser::ParseAtom(size_t depth) {
  const char c = Peek();
  if (Take("(")) {
    if (depth >= kMaxNesting) return FailHere("nested too deeply", ErrorCode::kResource);
    if (Peek() == '?' && !Take("?:")) return FailHere("look-around and named groups (?...");
    VADE_TRY(std::string inner, ParseChoice(depth + 1));
    if (!Take(")")) return FailHere("a ( without its )", ErrorCode::kInvalidArgument);
    return inner;
  }
  if (c == '^' || c == '$')
    return FailHere("an anchor is supported at the ends of the pattern only");
  if (c == '*' || c == '+' || c == '?' || c == '{') {
    return FailHere("a quantifier with nothing before it", ErrorCode::kInvalidArgument);
  }
  if (Take("[")) {
    VADE_TRY(const Ranges set, ParseClass());
    return JsonChars(set);
  }
  if (Take(".")) return JsonChars(Complement(kLineEnds));
  if (Take("\\")) {
    VADE_TRY(const Ranges set, ParseEscape(false));
    return JsonChars(set);
  }
  const utf8::CodePoint code_point = utf8::Decode(text_, at_);
  at_ += code_point.length;
  return JsonChars({{code_point.value, code_point.value}});
}

Result<size_t> RegexParser::ParseCount() {
  size_t value = 0;
  const size_t begin = at_;
  for (; Peek() >= '0' && Peek() <= '9'; ++at_) {
    value = value * 10 + static_cast<size_t>(Peek() - '0');
    if (value > kMaxRepeat) return FailHere("too many repetitions", ErrorCode::kResource);
  }
  if (at_ == begin) return FailHere("want a number in {}", ErrorCode::kInvalidArgument);
  return value;
}

Result<std::string> RegexParser::ParseQuantifier() {
  std::string out;
  if (Take("*")) {
    out = "*";
  } else if (Take("+")) {
    out = "+";
  } else if (Take("?")) {
    out = "?";
  } else if (Take("{")) {
    VADE_TRY(const size_t min, ParseCount());
    size_t max = min;
    bool unbounded = false;
    if (Take(",")) {
      unbounded = Peek() == '}';
      if (!unbounded) {
        VADE_TRY(max, ParseCount());
      }
    }
    if (!Take("}")) return FailHere("want } to close a repetition", ErrorCode::kInvalidArgument);
    if (!unbounded && max < min) {
      return FailHere("a repetition whose maximum is below its minimum",
                      ErrorCode::kInvalidArgument);
    }
    out = GbnfRepeat(min, max, unbounded);
  }
  if (!out.empty()) Take("?");  // lazy or greedy: the same strings
  return out;
}

Result<Ranges> RegexParser::ParseClass() {
  const bool negated = Take("^");
  Ranges set;
  while (!Take("]")) {
    if (AtEnd()) return FailHere("a [ without its ]", ErrorCode::kInvalidArgument);
    VADE_TRY(Ranges low, ParseClassAtom());
    const bool single = low.size() == 1 && low[0].low == low[0].high;
    if (single && Peek() == '-' && text_.substr(at_, 2) != "-]") {
      ++at_;
      if (AtEnd()) return FailHere("a [ without its ]", ErrorCode::kInvalidArgument);
      VADE_TRY(const Ranges high, ParseClassAtom());
      if (high.size() != 1 || high[0].low != high[0].high || high[0].low < low[0].low) {
        return FailHere("a range whose end is below its start", ErrorCode::kInvalidArgument);
      }
      low[0].high = high[0].low;
    }
    set.insert(set.end(), low.begin(), low.end());
  }
  set = negated ? Complement(std::move(set)) : Normalised(std::move(set));
  if (set.empty()) return FailHere("a class that matches nothing", ErrorCode::kInvalidArgument);
  return set;
}

Result<Ranges> RegexParser::ParseClassAtom() {
  if (Take("\\")) return ParseEscape(true);
  const utf8::CodePoint code_point = utf8::Decode(text_, at_);
  at_ += code_point.length;
  return Ranges{{code_point.value, code_point.value}};
}

Result<char32_t> RegexParser::ParseHex(size_t digits) {
  char32_t value = 0;
  for (size_t i = 0; i < digits; ++i, ++at_) {
    const char c = Peek();
    const bool digit = c >= '0' && c <= '9';
    const auto letter = static_cast<char>(c | 0x20);
    if (!digit && (letter < 'a' || letter > 'f')) {
      return FailHere("want a hex digit", ErrorCode::kInvalidArgument);
    }
    value = value << 4 | static_cast<char32_t>(digit ? c - '0' : letter - 'a' + 10);
  }
  if (value >= 0xD800 && value <= 0xDFFF) return FailHere("a surrogate");
  return value;
}

Result<Ranges> RegexParser::ParseEscape(bool in_class) {
  if (AtEnd()) return FailHere("a \\ at the end", ErrorCode::kInvalidArgument);
  const char c = Peek();
  const auto one = [](char32_t value) { return Ranges{{value, value}}; };
  ++at_;
  switch (c) {
    case 'd':
      return kDigits;
    case 'D':
      return Complement(kDigits);
    case 'w':
      return kWord;
    case 'W':
      return Complement(kWord);
    case 's':
      return kSpace;
    case 'S':
      return Complement(kSpace);
    case 'n':
      return one('\n');
    case 'r':
      return one('\r');
    case 't':
      return one('\t');
    case 'f':
      return one('\f');
    case 'v':
      return one('\v');
    case '0':
      return one(0);
    case 'b':
      if (in_class) return one('\b');
      break;
    case 'x':
    case 'u': {
      VADE_TRY(const char32_t value, ParseHex(c == 'x' ? 2 : 4));
      return one(value);
    }
    default:
      if (static_cast<unsigned char>(c) < 0x80 && !(c >= '0' && c <= '9') &&
          !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) {
        return one(static_cast<char32_t>(c));
      }
  }
  --at_;
  return FailHere(std::string("the escape \\") + utf8::Escape(std::string(1, c)));
}

}  // namespace

Result<std::string> RegexGbnf(std::string_view pattern) { return RegexParser(pattern).Parse(); }

}  // namespace vade::runtime
