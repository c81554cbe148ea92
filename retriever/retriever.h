// Retriever: a question -> ranked passages, with a trace of how each got its place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/lru_cache.h"
#include "engine/base/result.h"
#include "retriever/reranker.h"
#include "vectorstore/store.h"

namespace vade::retriever {

enum class Mode { kLexical, kDense, kHybrid };

[[nodiscard]] std::optional<Mode> ParseMode(std::string_view name);  // "lexical", "dense", "hybrid"
[[nodiscard]] std::string_view ModeName(Mode mode);

struct SearchOptions {
  Mode mode = Mode::kHybrid;
  size_t k = 10;            // passages returned
  size_t candidates = 100;  // taken from each arm before fusion
  vectorstore::Filter filter;
  bool collapse_duplicates = true;  // near-identical passages: keep the best, name the others
  bool merge_neighbours = true;     // adjacent chunks of one section become one passage
  size_t max_per_document = 0;      // 0: no cap
  size_t rerank = 20;               // best chunks that a reranker reads, when there is one
};

/// One stage's view of one hit. Absent when the stage did not return it.
struct StageScore {
  size_t rank = 0;  // 1-based
  double score = 0;
};

struct Passage {
  vectorstore::DocumentId document = 0;
  std::vector<vectorstore::ChunkId> chunks;  // in text order; the first by score is `best_chunk`
  vectorstore::ChunkId best_chunk = 0;
  std::string path;
  std::string title;
  std::string heading_path;
  std::string context;  // table header repeated for a split table
  uint64_t begin = 0;   // byte offsets into the document's text
  uint64_t end = 0;
  std::string text;        // text[begin, end)
  std::string first_page;  // label, empty when the document has no pages
  std::string last_page;
  uint32_t first_page_number = 0;  // 0: no pages
  uint32_t last_page_number = 0;
  double score = 0;  // of the last stage, comparable within one result only
  std::optional<StageScore> lexical;
  std::optional<StageScore> dense;
  std::optional<StageScore> fused;
  std::optional<StageScore> reranked;
  double name_credit = 0;       // hybrid: lexical score for the document's name in the question
  double identifier_bonus = 0;  // hybrid: part of `score` earned by identifiers of the question
  std::vector<std::string> duplicates;  // "path#heading" of collapsed near-duplicates
};

struct StageTiming {
  std::string stage;
  double ms = 0;
};

struct SearchResult {
  std::vector<Passage> passages;
  std::vector<StageTiming> timings;
  std::vector<std::string> warnings;  // the question was shortened for the embedder, ...
  size_t lexical_candidates = 0;
  size_t dense_candidates = 0;
  double dense_trust = 0;   // how far the embedder knows the question's words, see Coverage()
  double dense_weight = 0;  // share of the dense arm in the fused score
  double best_cosine = 0;   // of the dense arm, 0 without one
  std::vector<float> query_vector;  // [dimension], empty without a dense arm
};

/// Document ranking for evaluation: each document's score is its best passage's (max-passage).
struct DocumentScore {
  vectorstore::DocumentId document = 0;
  double score = 0;
};

/// Documents kept between searches, by their bytes in memory; old states of the store go as any
/// entry does that nobody asks for.
struct DocumentView;
using SharedDocuments = LruCache<std::shared_ptr<const DocumentView>>;

/// Thread-safe as its parts. Does not own them.
class Retriever {
 public:
  /// `embedder` may be null for lexical-only use; so may `reranker` and `documents`.
  Retriever(const vectorstore::Store* store, embed::Embedder* embedder,
            Reranker* reranker = nullptr, SharedDocuments* documents = nullptr)
      : store_(store), embedder_(embedder), reranker_(reranker), documents_(documents) {}

  /// Errors: those of the store, the embedder and the reranker; kInvalidArgument for an empty
  /// question.
  [[nodiscard]] Result<SearchResult> Search(std::string_view question,
                                            const SearchOptions& options) const;

  /// The best `k` documents, without merging or collapsing.
  [[nodiscard]] Result<std::vector<DocumentScore>> RankDocuments(
      std::string_view question, const SearchOptions& options) const;

 private:
  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  Reranker* reranker_;
  SharedDocuments* documents_;
};

}  // namespace vade::retriever
