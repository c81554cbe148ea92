// Units: what an answer is composed of. Stored text -> blocks -> sentences, list items, table rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vade::qa {

enum class BlockForm : uint8_t { kParagraph, kList, kTable, kHeading };

/// Byte offsets into the document's text.
struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// A block of the stored text (blocks are separated by empty lines) with its parts: sentences,
/// list items (continuation lines included) or table rows (the header row included).
struct TextBlock {
  BlockForm form = BlockForm::kParagraph;
  Span span;
  std::vector<Span> parts;
  bool numbered = false;  // kList: its items are "1.", "2.", ... and so an order
};

/// Blocks of `text` that touch [begin, end), whole even where they reach outside it, after the
/// block before them when that is a lead-in (it ends with a colon).
/// `headings` are the section's own heading lines, which are no part of an answer.
[[nodiscard]] std::vector<TextBlock> BlocksAround(std::string_view text, Span range,
                                                  const std::vector<std::string>& headings);

/// Sentences of one paragraph, without the white space between them. Abbreviations, decimals and
/// "e.g." do not end a sentence.
[[nodiscard]] std::vector<Span> SplitSentences(std::string_view text, Span range);

/// Cells of a table row, trimmed.
[[nodiscard]] std::vector<std::string_view> SplitCells(std::string_view row);

/// "Setup > Network" -> {"Setup", "Network"}.
[[nodiscard]] std::vector<std::string> SplitHeadingPath(std::string_view heading_path);

/// Number of an item marker ("3. ", "3) "), 0 for bullets and letters, -1 when `line` is no item.
[[nodiscard]] int ItemNumber(std::string_view line);

}  // namespace vade::qa
