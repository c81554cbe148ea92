// PostingCache: terms' postings read from FTS5 once and kept as arrays of BM25 impacts.
//
// FTS5 is the index on disk, but its bm25() decodes every posting list, looks up a length row and
// sorts for every match: about a microsecond each. Here a query adds up precomputed impacts, a
// nanosecond each, in one array over all chunks; no skipping is needed to stay under 5 ms at
// 200,000 passages even for the commonest words.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "vectorstore/scan_index.h"
#include "vectorstore/sqlite.h"
#include "vectorstore/top_k.h"

namespace vade::vectorstore {

inline constexpr float kBm25K1 = 1.2f;
inline constexpr float kBm25B = 0.75f;

/// One term's contribution to every chunk and every document that has it: idf * tf part of BM25.
struct Postings {
  struct Impact {
    uint32_t at;  // chunk position, or index of the document
    float score;
  };
  std::vector<Impact> chunks;
  std::vector<Impact> documents;
};

/// Thread-safe. Belongs to one generation of the store.
class PostingCache {
 public:
  /// The postings of `term` in the read transaction of `database`; empty if it does not occur.
  [[nodiscard]] Result<std::shared_ptr<const Postings>> Get(const Database& database,
                                                            const ScanIndex& index,
                                                            const std::string& term);
  void Clear();

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Postings>> terms_;
  size_t entries_ = 0;
};

struct WeightedTerm {
  std::shared_ptr<const Postings> postings;
  float weight;  // how often the query has it
};

/// A chunk's whole score, and the part of it that is its own.
struct ScoredChunk : Scored {
  float own;
};

/// The k best chunks. A chunk's score is its own BM25 plus `document_weight` times its document's.
[[nodiscard]] std::vector<ScoredChunk> ScoreTerms(const ScanIndex& index,
                                                  const std::vector<WeightedTerm>& terms, size_t k,
                                                  float document_weight,
                                                  const std::vector<bool>& allowed);

}  // namespace vade::vectorstore
