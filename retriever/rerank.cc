#include "retriever/rerank.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace vade::retriever {
namespace {

/// What the embedder saw of a chunk too: its headings, the head of its table, its words.
Result<std::string> TextOf(const Candidate& candidate, const vectorstore::Store& store,
                           DocumentCache& documents) {
  VADE_TRY(const DocumentView* view, documents.Get(candidate.document));
  VADE_TRY(const vectorstore::ChunkRecord chunk, store.GetChunk(candidate.chunk));
  std::string text;
  for (const std::string& part : {chunk.heading_path, chunk.context}) {
    if (!part.empty()) text += part + "\n";
  }
  const uint64_t end = std::min<uint64_t>(chunk.end, view->text.size());
  const uint64_t begin = std::min(chunk.begin, end);
  return text + view->text.substr(begin, end - begin);
}

}  // namespace

Result<void> Rerank(Reranker& reranker, std::string_view question, size_t top,
                    const vectorstore::Store& store, DocumentCache& documents,
                    std::vector<Candidate>& candidates) {
  const size_t count = std::min(top, candidates.size());
  if (count == 0) return {};
  std::vector<std::string> texts(count);
  for (size_t i = 0; i < count; ++i) {
    VADE_TRY(texts[i], TextOf(candidates[i], store, documents));
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  VADE_TRY(const std::vector<float> scores, reranker.Score(question, views));
  const bool sound = scores.size() == count &&
                     std::ranges::all_of(scores, [](float score) { return std::isfinite(score); });
  if (!sound) {
    return Fail(ErrorCode::kInternal, std::string(reranker.name()) + ": gave " +
                                          std::to_string(scores.size()) + " scores for " +
                                          std::to_string(count) +
                                          " passages, or some that are no numbers");
  }
  for (size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].fused = StageScore{i + 1, candidates[i].score};
  }
  for (size_t i = 0; i < count; ++i) candidates[i].score = static_cast<double>(scores[i]);
  const auto read_end = candidates.begin() + static_cast<ptrdiff_t>(count);
  std::stable_sort(candidates.begin(), read_end,
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  for (size_t i = 0; i < count; ++i) {
    candidates[i].reranked = StageScore{i + 1, candidates[i].score};
  }
  if (count == candidates.size()) return {};
  const double shift = candidates[count - 1].score - read_end->score;
  for (auto at = read_end; at != candidates.end(); ++at) at->score += shift;
  return {};
}

}  // namespace vade::retriever
