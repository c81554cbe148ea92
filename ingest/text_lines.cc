// Hand-written predicates on one line each: no regular expressions on text from strangers.
#include "ingest/text_lines.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

constexpr size_t kMaxHeadingBytes = 120;

constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool IsUpper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool IsLower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool IsBlank(char c) noexcept { return c == ' ' || c == '\t'; }

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string_view TrimLeft(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

TextLine MakeLine(std::string_view raw, bool page_break) {
  TextLine line;
  line.page_break_before = page_break;
  size_t at = 0;
  for (; at < raw.size(); ++at) {
    if (raw[at] == ' ') {
      ++line.indent;
    } else if (raw[at] == '\t') {
      line.indent = (line.indent / 8 + 1) * 8;
    } else if (raw.compare(at, 3, "\u3000") == 0) {  // ideographic space: a CJK paragraph indent
      line.indent += 2;
      at += 2;
    } else if (raw[at] != '\r') {
      break;
    }
  }
  size_t end = raw.size();
  while (end > at && (IsBlank(raw[end - 1]) || raw[end - 1] == '\r')) --end;
  line.text = raw.substr(at, end - at);
  if (line.text.empty()) line.indent = 0;
  return line;
}

// The bytes of the marker that `line` starts with, when one of `markers` followed by a blank.
size_t MatchSymbol(std::string_view line, const auto& markers) {
  for (const std::string_view marker : markers) {
    if (StartsWith(line, marker) && line.size() > marker.size() && IsBlank(line[marker.size()])) {
      return marker.size();
    }
  }
  return 0;
}

constexpr std::array<std::string_view, 14> kHangulOrder = {
    "가", "나", "다", "라", "마", "바", "사", "아", "자", "차", "카", "타", "파", "하"};

// Length of "가" when the line begins with one of the Korean counting syllables.
size_t HangulCounter(std::string_view line) {
  for (const std::string_view syllable : kHangulOrder) {
    if (StartsWith(line, syllable)) return syllable.size();
  }
  return 0;
}

bool EndsLikeSentence(std::string_view line) {
  constexpr std::array<std::string_view, 8> kEnds = {".", ",", ";", "!", "?", "。", "、", ":"};
  return std::any_of(kEnds.begin(), kEnds.end(), [&](std::string_view end) {
    return line.size() >= end.size() && line.substr(line.size() - end.size()) == end;
  });
}

// Labels that stand alone in capitals above the text they belong to.
bool IsAdmonition(std::string_view line) {
  constexpr std::array<std::string_view, 7> kLabels = {"WARNING", "CAUTION",   "DANGER", "NOTE",
                                                       "NOTICE",  "IMPORTANT", "TIP"};
  while (!line.empty() && (line.back() == '!' || line.back() == ':')) line.remove_suffix(1);
  return std::find(kLabels.begin(), kLabels.end(), line) != kLabels.end();
}

// At least four letters, all capital, hardly a code like "E-204".
bool IsAllCaps(std::string_view line) {
  size_t letters = 0;
  for (const char c : line) {
    if (IsLower(c) || static_cast<uint8_t>(c) >= 0x80) return false;
    letters += IsUpper(c);
  }
  return letters >= 4 && letters * 2 >= line.size() && !EndsLikeSentence(line);
}

// "1.", "2.3", "2.3.1." followed by a title: the number of components.
std::optional<uint32_t> NumberedHeading(std::string_view line) {
  uint32_t components = 0;
  size_t at = 0;
  bool dot = false;
  while (at < line.size() && IsDigit(line[at])) {
    const size_t digits_begin = at;
    while (at < line.size() && IsDigit(line[at])) ++at;
    if (at - digits_begin > 2) return std::nullopt;  // a year, an error code, an amount
    ++components;
    dot = at < line.size() && line[at] == '.';
    if (!dot) break;
    ++at;
  }
  if (components == 0 || components > 6 || at >= line.size() || !IsBlank(line[at])) {
    return std::nullopt;
  }
  const std::string_view title = TrimLeft(line.substr(at));
  if (title.empty() || EndsLikeSentence(title)) return std::nullopt;
  if (components == 1 && !dot && !IsAllCaps(title)) return std::nullopt;  // "3 screws"
  const char first = title.front();
  if (IsLower(first) || IsDigit(first)) return std::nullopt;
  return components;
}

// "제1장", "제 2 절", "제3조": Korean chapter, section, article.
std::optional<uint32_t> KoreanChapter(std::string_view line) {
  constexpr std::string_view kOrdinal = "제";
  if (!StartsWith(line, kOrdinal)) return std::nullopt;
  line = TrimLeft(line.substr(kOrdinal.size()));
  size_t digits = 0;
  while (digits < line.size() && IsDigit(line[digits])) ++digits;
  if (digits == 0 || digits > 3) return std::nullopt;
  line = TrimLeft(line.substr(digits));
  constexpr std::array<std::pair<std::string_view, uint32_t>, 6> kUnits = {
      {{"편", 1}, {"부", 1}, {"장", 1}, {"절", 2}, {"조", 3}, {"항", 4}}};
  for (const auto& [unit, level] : kUnits) {
    if (!StartsWith(line, unit)) continue;
    const std::string_view rest = line.substr(unit.size());
    const bool separated = rest.empty() || IsBlank(rest.front()) || rest.front() == '(' ||
                           rest.front() == '.' || rest.front() == ':';
    return separated && !EndsLikeSentence(rest) ? std::optional(level) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<uint32_t> WordHeading(std::string_view line) {
  constexpr std::array<std::pair<std::string_view, uint32_t>, 7> kWords = {{{"Chapter ", 1},
                                                                            {"CHAPTER ", 1},
                                                                            {"Part ", 1},
                                                                            {"PART ", 1},
                                                                            {"Appendix ", 1},
                                                                            {"APPENDIX ", 1},
                                                                            {"Section ", 2}}};
  for (const auto& [word, level] : kWords) {
    if (!StartsWith(line, word) || line.size() <= word.size()) continue;
    const char c = line[word.size()];
    if ((IsDigit(c) || IsUpper(c)) && !EndsLikeSentence(line)) return level;
  }
  return std::nullopt;
}

}  // namespace

bool LineReader::Next(TextLine& line) {
  line = {};
  // A form feed that ends the text still begins a page, an empty one.
  if (at_ >= text_.size() && !page_break_) return false;
  const size_t end = std::min(text_.find_first_of("\n\f", at_), text_.size());
  line = MakeLine(text_.substr(std::min(at_, text_.size()), end - std::min(at_, end)), page_break_);
  page_break_ = end < text_.size() && text_[end] == '\f';
  at_ = end + 1;
  return true;
}

std::optional<ListMarker> ParseListMarker(std::string_view line) {
  constexpr std::array<std::string_view, 17> kBullets = {
      "-", "*", "+", "•", "·", "▪", "●", "○", "‣", "◦", "–", "—", "※", "■", "□", "▶", "◆"};
  constexpr std::string_view kFirstCircled = "①";
  ListMarker out;
  size_t length = MatchSymbol(line, kBullets);
  if (length > 0) {
    out.bullet = true;
  } else if (line.size() > 3 && StartsWith(line, kFirstCircled.substr(0, 2)) &&
             static_cast<uint8_t>(line[2]) >= 0xA0 && static_cast<uint8_t>(line[2]) <= 0xB3) {
    length = 3;
    out.number = static_cast<uint8_t>(line[2]) - 0xA0u + 1;
  } else {
    const size_t open = StartsWith(line, "(") ? 1 : 0;
    size_t body = 0;
    const std::string_view rest = line.substr(open);
    while (body < rest.size() && body < 3 && IsDigit(rest[body])) {
      out.number = out.number * 10 + static_cast<uint64_t>(rest[body] - '0');
      ++body;
    }
    if (body == 0 && !rest.empty() && IsLower(rest.front())) body = 1;
    if (body == 0) body = HangulCounter(rest);
    if (body == 0 || body >= rest.size()) return std::nullopt;
    const bool closed = rest[body] == ')' || (open == 0 && rest[body] == '.');
    length = open + body + 1;
    if (!closed || length >= line.size() || !IsBlank(line[length])) return std::nullopt;
  }
  out.marker = line.substr(0, length);
  out.text = TrimLeft(line.substr(length));
  if (out.text.empty()) return std::nullopt;
  return out;
}

std::optional<uint32_t> HeadingLevel(std::string_view line) {
  if (line.empty() || line.size() > kMaxHeadingBytes) return std::nullopt;
  if (const auto level = NumberedHeading(line)) return level;
  if (const auto level = KoreanChapter(line)) return level;
  if (const auto level = WordHeading(line)) return level;
  if (IsAllCaps(line) && !IsAdmonition(line)) return 2;
  constexpr std::array<std::string_view, 6> kBoxes = {"■", "□", "◆", "▣", "◇", "▶"};
  constexpr size_t kMaxBoxHeadingBytes = 60;
  if (line.size() <= kMaxBoxHeadingBytes && MatchSymbol(line, kBoxes) > 0 &&
      !EndsLikeSentence(line)) {
    return 2;
  }
  // "Ⅱ. 결과": Roman numerals as single code points U+2160..U+216B.
  if (line.size() > 4 && StartsWith(line, "\xE2\x85") && static_cast<uint8_t>(line[2]) >= 0xA0 &&
      static_cast<uint8_t>(line[2]) <= 0xAB && line[3] == '.' && !EndsLikeSentence(line)) {
    return 1;
  }
  if (const size_t counter = HangulCounter(line);
      counter > 0 && line.size() > counter + 1 && line[counter] == '.' &&
      IsBlank(line[counter + 1]) && line.size() <= kMaxBoxHeadingBytes && !EndsLikeSentence(line)) {
    return 3;
  }
  return std::nullopt;
}

std::optional<char> RuleChar(std::string_view line) {
  constexpr std::string_view kRules = "=-~*_#^+";
  if (line.size() < 3 || kRules.find(line.front()) == std::string_view::npos) return std::nullopt;
  if (line.find_first_not_of(line.front()) != std::string_view::npos) return std::nullopt;
  return line.front();
}

bool LooksLikeCode(std::string_view line) {
  if (StartsWith(line, "$ ") || StartsWith(line, "# ") || StartsWith(line, "> ") ||
      StartsWith(line, "C:\\") || StartsWith(line, "//") || StartsWith(line, "#include")) {
    return true;
  }
  if (line.empty()) return false;
  constexpr std::string_view kLineEnds = "{};\\";
  if (kLineEnds.find(line.back()) != std::string_view::npos) return true;
  constexpr std::string_view kSymbols = "{}[]<>=;|&$\\_";
  const auto symbols = static_cast<size_t>(std::count_if(line.begin(), line.end(), [&](char c) {
    return kSymbols.find(c) != std::string_view::npos;
  }));
  return symbols * 12 >= line.size() && symbols >= 2;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint c = utf8::Decode(text, at);
    at += c.length;
    const bool wide = (c.value >= 0x1100 && c.value <= 0x115F) ||
                      (c.value >= 0x2E80 && c.value <= 0xD7A3) ||
                      (c.value >= 0xFF01 && c.value <= 0xFF60);
    width += wide ? 2 : 1;
  }
  return width;
}

}  // namespace vade::ingest
