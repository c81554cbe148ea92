// PDF -> Document.
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <memory>
#include <string>

#include "ingest/document_builder.h"
#include "ingest/extractor.h"

namespace vade::ingest {

Result<Document> ExtractPdf(const ExtractorInput& input) {
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  const std::unique_ptr<poppler::document> file(poppler::document::load_from_raw_data(
      input.bytes.data(), static_cast<int>(input.bytes.size())));
  if (!file) return Fail(ErrorCode::kCorruptData, "broken PDF");
  if (file->is_locked()) return Fail(ErrorCode::kUnsupported, "password protected");
  DocumentBuilder builder("pdf", input.max_text_bytes);
  for (int i = 0; i < file->pages(); ++i) {
    const std::unique_ptr<poppler::page> page(file->create_page(i));
    builder.BeginPage(std::to_string(i + 1));
    if (!page) {
      builder.MarkPageWithoutText("unreadable page");
      continue;
    }
    const auto bytes = page->text().to_utf8();
    builder.AddParagraph(std::string_view(bytes.data(), bytes.size()));
  }
  return builder.Finish(input.file_name);
}

}  // namespace vade::ingest
