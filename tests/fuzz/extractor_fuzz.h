// What every extractor fuzzer does with a file: extract, check the document, chunk, check the
// chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "ingest/chunker.h"
#include "ingest/extractor.h"

namespace vade::ingest {

using Extractor = Result<Document> (*)(const ExtractorInput&);

inline void FuzzExtractor(Extractor extract, const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Result<Document> document =
      extract({.bytes = bytes, .file_name = "fuzz", .max_text_bytes = uint64_t{1} << 22});
  if (!document) return;
  const std::string_view text = document->text;
  VADE_CHECK(utf8::IsValid(text));
  uint64_t covered = 0;
  for (const Block& block : document->blocks) {
    VADE_CHECK(block.begin == (covered == 0 ? 0 : covered + 2));
    VADE_CHECK(block.begin < block.end && block.end <= text.size());
    covered = block.end;
  }
  VADE_CHECK(covered == text.size());
  const ChunkOptions options{.max_tokens = 64, .target_tokens = 48};
  const TokenCounter count = [](std::string_view part) { return part.size() / 3 + 1; };
  uint64_t chunked = 0;
  for (const Chunk& chunk : ChunkDocument(*document, options, count)) {
    VADE_CHECK(chunk.begin >= chunked && chunk.begin < chunk.end && chunk.end <= text.size());
    VADE_CHECK(chunk.token_count <= options.max_tokens);
    VADE_CHECK(text.substr(chunked, chunk.begin - chunked).find_first_not_of(" \n\t") == text.npos);
    chunked = chunk.end;
  }
  VADE_CHECK(text.substr(chunked).find_first_not_of(" \n\t") == text.npos);
}

}  // namespace vade::ingest
