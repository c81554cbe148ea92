// Passages: ranked chunks become what is shown. Neighbours merged, duplicates collapsed, pages
// named.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "retriever/fusion.h"
#include "retriever/retriever.h"

namespace vade::retriever {

/// A document as one search sees it; read once per search.
struct DocumentView {
  vectorstore::DocumentRecord record;
  std::vector<vectorstore::PageRecord> pages;
  std::string text;
};

/// Reads documents on first use. Single-thread; lives as long as one search.
class DocumentCache {
 public:
  explicit DocumentCache(const vectorstore::Store* store) : store_(store) {}
  /// The pointer stays valid as long as the cache.
  [[nodiscard]] Result<const DocumentView*> Get(vectorstore::DocumentId id);

 private:
  const vectorstore::Store* store_;
  std::unordered_map<vectorstore::DocumentId, DocumentView> documents_;
};

/// The best options.k passages of `ranked` (best first).
[[nodiscard]] Result<std::vector<Passage>> BuildPassages(const vectorstore::Store& store,
                                                         const std::vector<Candidate>& ranked,
                                                         const SearchOptions& options,
                                                         DocumentCache& documents);

}  // namespace vade::retriever
