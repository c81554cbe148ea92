// Runner: indexes a test collection and asks its questions, so that there is something to score.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "qa/eval/collection.h"
#include "qa/eval/report.h"
#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::qa::eval {

struct RunnerOptions {
  std::vector<retriever::Mode> modes = {retriever::Mode::kHybrid};
  size_t depth = 100;      // documents kept per question
  size_t candidates = 0;   // chunks each arm gives to fusion; 0: DefaultCandidates(depth)
  bool answers = true;     // also answer, where the collection has unanswerable questions
  bool lost = false;       // find out where relevant documents were lost
  size_t lost_depth = 10;  // a document counts as found down to this rank
  std::filesystem::path cache_folder;  // stores are kept here; empty: a temporary one
  size_t num_threads = 0;
  retriever::Reranker* reranker = nullptr;  // not owned; may be null
  size_t rerank = 20;                       // chunks it reads
};

/// Enough chunks that `depth` different documents are among them.
[[nodiscard]] size_t DefaultCandidates(size_t depth);

using RunnerProgress = std::function<void(std::string_view what, size_t done, size_t total)>;

/// A collection in a store; a temporary store is removed with it.
class IndexedCollection {
 public:
  /// Opens the cached store or builds it; an interrupted build goes on where it stopped. The cache
  /// file's name carries a hash of the documents and of the fingerprints.
  [[nodiscard]] static Result<IndexedCollection> Open(const Collection& collection,
                                                      embed::Embedder& embedder,
                                                      const RunnerOptions& options,
                                                      const CancelToken& cancel,
                                                      const RunnerProgress& progress);
  IndexedCollection(IndexedCollection&&) = default;
  IndexedCollection& operator=(IndexedCollection&&) = delete;
  ~IndexedCollection();

  [[nodiscard]] const vectorstore::Store& store() const { return *store_; }
  [[nodiscard]] const std::map<vectorstore::DocumentId, std::string>& ids() const { return ids_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  IndexedCollection() = default;

  std::unique_ptr<vectorstore::Store> store_;
  std::filesystem::path temporary_;  // folder to remove; empty for a cached store
  std::map<vectorstore::DocumentId, std::string> ids_;  // document -> path, which is its id
  std::vector<std::string> warnings_;                   // files that could not be indexed
};

/// Runs every mode over every judged question, and the answerer where asked for. The report still
/// lacks its measures. Errors: kCancelled; those of the store, the embedder and the retriever.
[[nodiscard]] Result<ReportInput> RunCollection(
    Collection collection, const IndexedCollection& indexed, embed::Embedder& embedder,
    const RunnerOptions& options, const CancelToken& cancel, const RunnerProgress& progress);

/// Which stage of the hybrid search lost each relevant document. Runs by mode name.
[[nodiscard]] std::vector<LostDocument> FindLost(
    const Qrels& qrels, const Run& lexical, const Run& dense, const Run& final_run, size_t depth,
    const std::function<bool(std::string_view)>& indexed);

/// True if `answer` holds every string ("a|b": either), ignoring case and runs of white space.
[[nodiscard]] bool ContainsAll(std::string_view answer, const std::vector<std::string>& wanted);

}  // namespace vade::qa::eval
