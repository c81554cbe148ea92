// Lines of a page -> paragraphs, list items, tables, code and what may be headings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingest/pdf_page.h"
#include "ingest/pdf_table.h"

namespace vade::ingest {

/// How the body text of the whole file looks; everything is judged against it.
struct PdfBodyStyle {
  double size = 10;
  bool bold = false;
  bool mono = false;
  double line_gap_em = 0.3;  // free space between two lines of a paragraph, in font sizes
};

[[nodiscard]] PdfBodyStyle MeasureBody(const std::vector<PdfPage>& pages);

struct PdfBlock {
  enum class Kind { kText, kListItem, kTable, kCode };
  Kind kind = Kind::kText;
  std::string text;    // wrapped lines, "\n" between them
  std::string marker;  // kListItem: "-", "3."
  uint32_t depth = 0;  // kListItem
  PdfTable table;
  double size = 0;
  bool bold = false;
  bool maybe_heading = false;  // looks unlike body text and is short
  bool may_continue = false;   // the last line is full and ends no sentence
  bool continues = false;      // starts like the middle of a sentence
};

/// Lines of a table of contents (leader dots before a page number) are left out and counted.
[[nodiscard]] std::vector<PdfBlock> BuildBlocks(const PdfPage& page, const PdfBodyStyle& body,
                                                size_t& num_contents_lines);

}  // namespace vade::ingest
