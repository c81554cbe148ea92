// Running headers, footers and page numbers: found by comparing pages, and removed.
#pragma once

#include <vector>

#include "ingest/pdf_page.h"

namespace vade::ingest {

/// Removes from the spans of all pages what repeats at the same height of other pages (numbers may
/// differ), whatever stands beside it, and bare page numbers in the margins. Runs before columns
/// are looked for: headers reach over them. Returns how many spans were removed.
size_t RemoveRunningText(std::vector<PdfPage>& pages);

}  // namespace vade::ingest
