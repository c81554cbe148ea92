#include "qa/cli/table.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace vade::qa {

void Table::Print(std::ostream& out) const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], utf8::CountCodePoints(row[i]));
    }
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - utf8::CountCodePoints(row[i]), ' ');
      const bool last = i + 1 == row.size();
      if (right_.contains(i)) out << padding;
      out << row[i];
      if (!last) out << (right_.contains(i) ? "" : padding) << "  ";
    }
    out << '\n';
  }
}

}  // namespace vade::qa
