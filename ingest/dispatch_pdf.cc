// vade-extract-pdf: PDF through poppler, which is GPL and stays in this executable.
#include <iconv.h>

#include "ingest/extractor_dispatch.h"

namespace vade::ingest {

void PrepareExtractors() {
  // poppler-cpp opens an iconv converter per word. Holding one keeps glibc's module loaded: faster,
  // and nothing to look for once the sandbox is closed. Never closed on purpose.
  for (const char* name : {"UTF-16", "UTF-16LE"}) {
    (void)iconv_open(name, "UTF-8");
    (void)iconv_open("UTF-8", name);
  }
}

std::span<const char* const> ReadableFolders() {
  static constexpr const char* kFolders[] = {"/usr/share/poppler"};  // CJK character maps
  return kFolders;
}

Result<Document> Extract(FileType type, const ExtractorInput& input) {
  if (type != FileType::kPdf) {
    return Fail(ErrorCode::kInternal, "vade-extract-pdf was asked for another type");
  }
  return ExtractPdf(input);
}

}  // namespace vade::ingest
