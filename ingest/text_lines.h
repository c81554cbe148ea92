// The lines of a plain text and what each looks like: list item, heading, underline, code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vade::ingest {

struct TextLine {
  std::string_view text;           // without indent and trailing spaces; empty: a blank line
  uint32_t indent = 0;             // columns, tabs stop every 8
  bool page_break_before = false;  // a form feed stood at or before its start
};

/// Reads lines one by one, so that a file of nothing but newlines costs no memory.
/// REQUIRES "\n" line ends. A form feed inside a line ends it.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}
  /// False at the end of the text; `line` is then a blank line.
  [[nodiscard]] bool Next(TextLine& line);

 private:
  std::string_view text_;
  size_t at_ = 0;
  bool page_break_ = false;
};

struct ListMarker {
  std::string_view marker;  // "-", "3.", "(a)", "①"
  std::string_view text;
  uint64_t number = 0;  // 0: not numbered by digits
  bool bullet = false;
};

/// "- text", "3) text", "(2) text", "b. text", "가. text", "① text", "• text".
[[nodiscard]] std::optional<ListMarker> ParseListMarker(std::string_view line);

/// Heading level of a line that stands alone: "1.2 Setup", "제3장 설치", "Chapter 4", "OVERVIEW",
/// "Ⅱ. 결과", "■ 개요". Says nothing about underlines.
[[nodiscard]] std::optional<uint32_t> HeadingLevel(std::string_view line);

/// A line of one repeated rule character ("====", "----", "~~~~"), at least 3 long: the character.
[[nodiscard]] std::optional<char> RuleChar(std::string_view line);

/// "$ command", "{", "x = f(y);", "<tag/>".
[[nodiscard]] bool LooksLikeCode(std::string_view line);

/// Columns on a fixed-width screen: Hangul, Han, Kana and full-width forms take two.
[[nodiscard]] size_t DisplayWidth(std::string_view text);

}  // namespace vade::ingest
