// Tables drawn in plain text: boxes, pipes, tabs, and columns of blanks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingest/text_lines.h"

namespace vade::ingest {

struct TextTable {
  std::vector<std::vector<std::string>> rows;
  uint32_t header_rows = 0;
};

/// The table that `lines` (a run without blank lines) is, if it clearly is one.
[[nodiscard]] std::optional<TextTable> ParseTextTable(std::span<const TextLine> lines);

}  // namespace vade::ingest
