#include "engine/tokenizer/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "engine/base/utf8.h"

namespace vade::tokenizer::jinja {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Longest first, so that "//" is not read as two "/".
constexpr std::array<std::string_view, 26> kOperators = {
    "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<",
    ">",  "=",  "(",  ")",  "[",  "]",  "{", "}", ",", ".", ":", "|", ";"};

class Lexer {
 public:
  explicit Lexer(std::string_view source) {
    source_.reserve(source.size());
    for (size_t i = 0; i < source.size(); ++i) {  // "\r\n" and "\r" become "\n"
      if (source[i] != '\r') {
        source_ += source[i];
      } else if (i + 1 == source.size() || source[i + 1] != '\n') {
        source_ += '\n';
      }
    }
    if (source_.ends_with('\n')) source_.pop_back();
  }

  Result<std::vector<Token>> Run() {
    while (at_ < source_.size()) VADE_CHECK_OK(LexTextAndTag());
    Emit(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  tl::unexpected<Error> FailHere(const std::string& message) const {
    return Fail(ErrorCode::kInvalidArgument, "line " + std::to_string(line_) + ": " + message);
  }
  bool At(std::string_view text) const {
    return std::string_view(source_).substr(at_).starts_with(text);
  }
  void Advance(size_t n) {
    line_ += static_cast<uint32_t>(
        std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                   source_.begin() + static_cast<std::ptrdiff_t>(at_ + n), '\n'));
    at_ += n;
  }
  void Emit(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  void EmitText(std::string text) {
    if (!text.empty()) Emit(TokenKind::kText, std::move(text));
  }

  // The next "{{", "{%" or "{#", or the end.
  size_t FindTag(size_t from) const {
    for (size_t at = source_.find('{', from); at != std::string::npos;
         at = source_.find('{', at + 1)) {
      if (at + 1 >= source_.size()) break;
      const char next = source_[at + 1];
      if (next == '{' || next == '%' || next == '#') return at;
    }
    return source_.size();
  }

  Result<void> LexTextAndTag() {
    const size_t tag = FindTag(at_);
    std::string text = source_.substr(at_, tag - at_);
    const bool line_starts_text = at_ == 0 || source_[at_ - 1] == '\n';
    const char modifier = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    if (tag < source_.size()) {
      if (modifier == '-') {
        StripRight(text);
      } else if (modifier != '+' && source_[tag + 1] != '{') {
        StripIndent(text, line_starts_text);
      }
    }
    EmitText(std::move(text));
    Advance(tag - at_);
    if (tag == source_.size()) return {};
    const char kind = source_[tag + 1];
    Advance(2);
    if (modifier == '-' || modifier == '+') Advance(1);
    if (kind == '#') return LexComment();
    if (kind == '%' && IsRawTag()) return LexRaw();
    return LexTag(kind == '{');
  }

  static void StripRight(std::string& text) {
    while (!text.empty() && IsSpace(text.back())) text.pop_back();
  }

  // lstrip_blocks: white space between the start of the line and a block tag goes.
  static void StripIndent(std::string& text, bool line_starts_text) {
    size_t end = text.size();
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
    if (end == 0 ? line_starts_text : text[end - 1] == '\n') text.resize(end);
  }

  // After the end of a tag: "-" strips all white space, trim_blocks one newline.
  void FinishTag(char modifier, bool trims_newline) {
    size_t n = 0;
    if (modifier == '-') {
      while (at_ + n < source_.size() && IsSpace(source_[at_ + n])) ++n;
    } else if (modifier != '+' && trims_newline && at_ < source_.size() && source_[at_] == '\n') {
      n = 1;
    }
    Advance(n);
  }

  Result<void> LexComment() {
    const size_t end = source_.find("#}", at_);
    if (end == std::string::npos) return FailHere("missing end of comment tag");
    const char modifier = end > at_ ? source_[end - 1] : '\0';
    Advance(end + 2 - at_);
    FinishTag(modifier, true);
    return {};
  }

  // Positions just after the tag named `name` at `from` ("  name -%}"), or npos.
  size_t EndOfBareTag(size_t from, std::string_view name, char* modifier) const {
    size_t i = from;
    while (i < source_.size() && IsSpace(source_[i])) ++i;
    if (!std::string_view(source_).substr(i).starts_with(name)) return std::string::npos;
    i += name.size();
    while (i < source_.size() && IsSpace(source_[i])) ++i;
    *modifier = '\0';
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) *modifier = source_[i++];
    return std::string_view(source_).substr(i).starts_with("%}") ? i + 2 : std::string::npos;
  }

  bool IsRawTag() const {
    char modifier = '\0';
    return EndOfBareTag(at_, "raw", &modifier) != std::string::npos;
  }

  Result<void> LexRaw() {
    char modifier = '\0';
    Advance(EndOfBareTag(at_, "raw", &modifier) - at_);
    FinishTag(modifier, true);
    for (size_t open = source_.find("{%", at_); open != std::string::npos;
         open = source_.find("{%", open + 2)) {
      size_t name = open + 2;
      const char before = name < source_.size() ? source_[name] : '\0';
      if (before == '-' || before == '+') ++name;
      const size_t end = EndOfBareTag(name, "endraw", &modifier);
      if (end == std::string::npos) continue;
      std::string text = source_.substr(at_, open - at_);
      if (before == '-') {
        StripRight(text);
      } else if (before != '+') {
        StripIndent(text, false);
      }
      EmitText(std::move(text));
      Advance(end - at_);
      FinishTag(modifier, true);
      return {};
    }
    return FailHere("missing end of raw directive");
  }

  Result<void> LexTag(bool print) {
    Emit(print ? TokenKind::kPrintBegin : TokenKind::kBlockBegin, "");
    const std::string_view close = print ? "}}" : "%}";
    std::string brackets;  // open ones: "}}" may close two dicts
    while (true) {
      while (at_ < source_.size() && IsSpace(source_[at_])) Advance(1);
      if (at_ >= source_.size()) return FailHere("unexpected end of template inside a tag");
      const char c = source_[at_];
      if (brackets.empty()) {
        const bool modified = (c == '-' || (c == '+' && !print)) && at_ + 1 < source_.size() &&
                              std::string_view(source_).substr(at_ + 1).starts_with(close);
        if (modified || At(close)) {
          Advance(close.size() + (modified ? 1 : 0));
          Emit(print ? TokenKind::kPrintEnd : TokenKind::kBlockEnd, "");
          FinishTag(modified ? c : '\0', !print);
          return {};
        }
      }
      VADE_CHECK_OK(LexToken(c, brackets));
    }
  }

  Result<void> LexToken(char c, std::string& brackets) {
    if (c == '\'' || c == '"') return LexString(c);
    if (IsDigit(c)) return LexNumber();
    if (IsNameStart(c)) {
      size_t end = at_;
      while (end < source_.size() && (IsNameStart(source_[end]) || IsDigit(source_[end]))) ++end;
      Emit(TokenKind::kName, source_.substr(at_, end - at_));
      Advance(end - at_);
      return {};
    }
    for (const std::string_view op : kOperators) {
      if (!At(op)) continue;
      if (c == '(' || c == '[' || c == '{') brackets += c == '(' ? ')' : (c == '[' ? ']' : '}');
      if (c == ')' || c == ']' || c == '}') {
        if (brackets.empty() || brackets.back() != c) {
          return FailHere("unexpected '" + std::string(op) + "'");
        }
        brackets.pop_back();
      }
      Emit(TokenKind::kOperator, std::string(op));
      Advance(op.size());
      return {};
    }
    return FailHere(
        "unexpected character '" +
        utf8::Escape(std::string_view(source_).substr(at_, utf8::Decode(source_, at_).length)) +
        "'");
  }

  Result<void> LexNumber() {
    size_t end = at_;
    bool is_float = false;
    const auto digits = [&] {
      while (end < source_.size() && (IsDigit(source_[end]) || source_[end] == '_')) ++end;
    };
    digits();
    if (end + 1 < source_.size() && source_[end] == '.' && IsDigit(source_[end + 1])) {
      is_float = true;
      ++end;
      digits();
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) {
        ++exponent;
      }
      if (exponent < source_.size() && IsDigit(source_[exponent])) {
        is_float = true;
        end = exponent;
        digits();
      }
    }
    std::string text = source_.substr(at_, end - at_);
    std::erase(text, '_');
    Emit(is_float ? TokenKind::kFloat : TokenKind::kInteger, std::move(text));
    Advance(end - at_);
    return {};
  }

  Result<void> LexString(char quote) {
    std::string text;
    size_t i = at_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] != '\\' || i + 1 >= source_.size()) {
        text += source_[i];
        continue;
      }
      VADE_CHECK_OK(AppendEscape(++i, text));
    }
    if (i >= source_.size()) return FailHere("unterminated string");
    Emit(TokenKind::kString, std::move(text));
    Advance(i + 1 - at_);
    return {};
  }

  // Python's escapes; `i` is at the character after the backslash and ends at the last one read.
  Result<void> AppendEscape(size_t& i, std::string& text) {
    const char c = source_[i];
    const auto simple = std::string_view("ntrbfav0\\'\"").find(c);
    if (simple != std::string_view::npos) {
      text += std::string_view("\n\t\r\b\f\a\v\0\\'\"", 11)[simple];
      return {};
    }
    if (c == '\n') return {};  // line continuation
    const size_t length = c == 'x' ? 2 : (c == 'u' ? 4 : (c == 'U' ? 8 : 0));
    if (length == 0) {
      text += '\\';
      text += c;
      return {};
    }
    char32_t value = 0;
    for (size_t k = 1; k <= length; ++k) {
      const char h = i + k < source_.size() ? source_[i + k] : '\0';
      const auto digit =
          std::string_view("0123456789abcdef").find(h >= 'A' && h <= 'F' ? h + 32 : h);
      if (digit == std::string_view::npos) return FailHere("bad escape in string");
      value = value * 16 + static_cast<char32_t>(digit);
    }
    utf8::Append(value, text);
    i += length;
    return {};
  }

  std::string source_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> Lex(std::string_view source) { return Lexer(source).Run(); }

}  // namespace vade::tokenizer::jinja
