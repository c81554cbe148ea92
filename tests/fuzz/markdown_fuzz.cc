// Any bytes through ExtractMarkdown and the chunker.
#include "tests/fuzz/extractor_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vade::ingest::FuzzExtractor(vade::ingest::ExtractMarkdown, data, size);
  return 0;
}
