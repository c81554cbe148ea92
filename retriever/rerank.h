// Rerank: the best candidates in the order that a reranker gives them.
#pragma once

#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "retriever/fusion.h"
#include "retriever/passages.h"
#include "retriever/reranker.h"

namespace vade::retriever {

/// Reads the first `top` of `candidates` (best first) and puts them in the reranker's order, with
/// its scores; those behind keep theirs in order, moved to end where the worst of the read begins.
/// Errors: those of the store and the reranker; kInternal for a wrong number of scores or one that
/// is not finite.
[[nodiscard]] Result<void> Rerank(Reranker& reranker, std::string_view question, size_t top,
                                  const vectorstore::Store& store, DocumentCache& documents,
                                  std::vector<Candidate>& candidates);

}  // namespace vade::retriever
