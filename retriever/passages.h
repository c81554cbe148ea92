// Passages: ranked chunks become what is shown. Neighbours merged, duplicates collapsed, pages
// named.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "retriever/fusion.h"
#include "retriever/retriever.h"

namespace vade::retriever {

/// A document as one search sees it.
struct DocumentView {
  vectorstore::DocumentRecord record;
  std::vector<vectorstore::PageRecord> pages;
  std::string text;
};

/// Reads documents on first use. Single-thread; lives as long as one search.
class DocumentCache {
 public:
  /// `shared` (may be null) keeps them for later searches.
  explicit DocumentCache(const vectorstore::Store* store, SharedDocuments* shared = nullptr)
      : store_(store), shared_(shared) {}
  /// The pointer stays valid as long as the cache.
  [[nodiscard]] Result<const DocumentView*> Get(vectorstore::DocumentId id);

 private:
  [[nodiscard]] Result<std::shared_ptr<const DocumentView>> Read(vectorstore::DocumentId id) const;
  [[nodiscard]] Result<std::shared_ptr<const DocumentView>> Share(vectorstore::DocumentId id);

  const vectorstore::Store* store_;
  SharedDocuments* shared_;
  std::optional<int64_t> generation_;  // of the store, when it was first asked
  std::unordered_map<vectorstore::DocumentId, std::shared_ptr<const DocumentView>> documents_;
};

/// The best options.k passages of `ranked` (best first).
[[nodiscard]] Result<std::vector<Passage>> BuildPassages(const vectorstore::Store& store,
                                                         const std::vector<Candidate>& ranked,
                                                         const SearchOptions& options,
                                                         DocumentCache& documents);

}  // namespace vade::retriever
