// Cuts a Document into chunks that follow its structure and fit the embedder.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "ingest/document.h"

namespace vade::ingest {

/// Tokens of `text` in the embedder's own vocabulary, without the special tokens.
using TokenCounter = std::function<size_t(std::string_view text)>;

struct ChunkOptions {
  size_t max_tokens = 256;     // hard limit for EmbeddingText(), special tokens included
  size_t special_tokens = 2;   // what the embedder adds ([CLS], [SEP])
  size_t target_tokens = 200;  // where a chunk prefers to end
};

/// A passage: text[begin, end) of its document.
struct Chunk {
  uint32_t ordinal = 0;
  uint64_t begin = 0;  // byte offsets into Document::text, at code point boundaries
  uint64_t end = 0;
  uint32_t first_page = 0;  // index into Document::pages; meaningless when there are none
  uint32_t last_page = 0;
  uint32_t token_count = 0;  // of EmbeddingText(), special tokens included, <= max_tokens
  std::string heading_path;  // "Setup > Network > Proxy", document title not included
  std::string context;       // repeated header row of a split table; usually empty
};

/// What is embedded and indexed for a chunk: heading path, context, body.
[[nodiscard]] std::string EmbeddingText(const Chunk& chunk, std::string_view document_text);

/// Never returns an empty chunk, never cuts a code point; every non-space byte of the text is in
/// exactly one chunk. Linear in the text for any input.
[[nodiscard]] std::vector<Chunk> ChunkDocument(const Document& document,
                                               const ChunkOptions& options,
                                               const TokenCounter& count_tokens);

/// Changes whenever the same document could be cut differently; stored in the index.
[[nodiscard]] std::string ChunkerFingerprint(const ChunkOptions& options);

}  // namespace vade::ingest
