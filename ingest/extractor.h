// The extractors: bytes of one file -> Document. They run inside the sandboxed child only.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "ingest/document.h"

namespace vade::ingest {

struct ExtractorInput {
  std::string_view bytes;      // the whole file
  std::string_view file_name;  // last path component, for the fallback title and as a type hint
  uint64_t max_text_bytes = uint64_t{256} << 20;
};

// Text formats decode their charset themselves through ingest/charset.h.
[[nodiscard]] Result<Document> ExtractMarkdown(
    const ExtractorInput& input);  // ingest/markdown_extractor.cc
[[nodiscard]] Result<Document> ExtractHtml(
    const ExtractorInput& input);  // ingest/html_extractor.cc
[[nodiscard]] Result<Document> ExtractText(
    const ExtractorInput& input);  // ingest/text_extractor.cc
[[nodiscard]] Result<Document> ExtractDocx(
    const ExtractorInput& input);                                        // ingest/docx_extractor.cc
[[nodiscard]] Result<Document> ExtractPdf(const ExtractorInput& input);  // ingest/pdf_extractor.cc

}  // namespace vade::ingest
