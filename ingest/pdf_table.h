// Tables in a run of lines: aligned columns of spans.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingest/pdf_page.h"

namespace vade::ingest {

struct PdfTable {
  std::vector<std::vector<std::string>> rows;
  uint32_t header_rows = 0;
  std::vector<double> columns;  // left edge of each
  size_t num_lines = 0;         // lines it was made of
};

/// A table that begins at lines[0]; lines may go on after it.
[[nodiscard]] std::optional<PdfTable> FindTable(std::span<const PdfLine> lines);

}  // namespace vade::ingest
