// The library as tools for a model: searching it and reading a page. What they show is remembered,
// so that the answer can be checked against it.
#pragma once

#include <string>
#include <vector>

#include "embed/embedder.h"
#include "qa/tools/tool.h"
#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::qa {

/// Passages that were shown to the model, in the order of their numbers [1], [2], ...
/// Single-thread.
class ShownPassages {
 public:
  /// The number of the passage: a new one, or that of one that holds all of it.
  size_t Add(const retriever::Passage& passage);

  [[nodiscard]] const std::vector<retriever::Passage>& passages() const { return passages_; }

 private:
  std::vector<retriever::Passage> passages_;
};

/// Does not own its arguments; `search` is what a search begins with (filter, candidates). A model
/// can narrow the collections of the filter, not widen them.
[[nodiscard]] Tool SearchLibraryTool(const vectorstore::Store* store, embed::Embedder* embedder,
                                     retriever::SearchOptions search, ShownPassages* shown);

[[nodiscard]] Tool ReadPageTool(const vectorstore::Store* store, retriever::SearchOptions search,
                                ShownPassages* shown);

}  // namespace vade::qa
