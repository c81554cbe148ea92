// A DOCX table flattened to rows of strings.
#pragma once

#include <cstdint>
#include <functional>
#include <pugixml.hpp>
#include <string>
#include <vector>

namespace vade::ingest {

struct DocxTable {
  std::vector<std::vector<std::string>> rows;
  std::vector<size_t> page_breaks;  // row indices before which a page begins, ascending
  uint32_t header_rows = 0;
  pugi::xml_node only_cell;  // set when the table is one cell: a box around ordinary text
};

/// Text of a cell and whether a page break stands in it (before its text, or later).
struct CellText {
  std::string text;
  bool break_before = false;
  bool break_inside = false;
};

/// Merged cells: a horizontal merge fills the columns it covers with empty cells, a vertical one
/// repeats short text in each row, so that every row can be understood alone.
[[nodiscard]] DocxTable ReadDocxTable(pugi::xml_node table,
                                      const std::function<CellText(pugi::xml_node)>& read_cell);

}  // namespace vade::ingest
