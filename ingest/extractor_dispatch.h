// What an extractor executable can read. Each executable links one implementation:
// dispatch_text.cc (vade-extract) or dispatch_pdf.cc (vade-extract-pdf).
#pragma once

#include <span>

#include "engine/base/result.h"
#include "ingest/document.h"
#include "ingest/extractor.h"
#include "ingest/sniff.h"

namespace vade::ingest {

/// Loads, before the sandbox closes, what the libraries would later look for on disk.
void PrepareExtractors();

/// Folders that must stay readable inside the sandbox.
[[nodiscard]] std::span<const char* const> ReadableFolders();

[[nodiscard]] Result<Document> Extract(FileType type, const ExtractorInput& input);

}  // namespace vade::ingest
