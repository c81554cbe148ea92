// vade-extract: Markdown, HTML, text and DOCX. Needs no file but its input.
#include "ingest/extractor_dispatch.h"

namespace vade::ingest {

void PrepareExtractors() {}

std::span<const char* const> ReadableFolders() { return {}; }

Result<Document> Extract(FileType type, const ExtractorInput& input) {
  switch (type) {
    case FileType::kText:
      return ExtractText(input);
    case FileType::kMarkdown:
      return ExtractMarkdown(input);
    case FileType::kHtml:
      return ExtractHtml(input);
    case FileType::kZip:
      return ExtractDocx(input);
    case FileType::kPdf:
      break;
  }
  return Fail(ErrorCode::kInternal, "vade-extract was asked for a PDF");
}

}  // namespace vade::ingest
