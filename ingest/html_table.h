// HTML tables: which of them hold data, and their cells with spans resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingest/html_tree.h"

namespace vade::ingest {

/// False for tables that only lay out a page: nested tables, headings or listings in cells, or a
/// single column.
[[nodiscard]] bool IsDataTable(const GumboNode* table);

struct HtmlTable {
  std::vector<std::string> captions;
  std::vector<std::vector<std::string>> rows;
  uint32_t header_rows = 0;
};

/// A cell that spans rows is repeated in each, one that spans columns only in header rows; long
/// cells are never repeated. REQUIRES IsDataTable(table).
[[nodiscard]] HtmlTable ReadTable(const GumboNode* table);

}  // namespace vade::ingest
