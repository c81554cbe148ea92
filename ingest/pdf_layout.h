// Words of a page -> lines in reading order, columns seen and followed.
#pragma once

#include <vector>

#include "ingest/pdf_page.h"

namespace vade::ingest {

/// Joins words that stand beside each other into spans; a gap of about one em separates spans.
[[nodiscard]] std::vector<PdfSpan> JoinWords(std::vector<PdfSpan> words);

/// Orders spans: full-width text top to bottom, prose columns one after the other, table columns
/// left together, so that their rows become lines of several spans.
[[nodiscard]] std::vector<PdfLine> OrderLines(std::vector<PdfSpan> spans);

}  // namespace vade::ingest
