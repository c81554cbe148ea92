// Weighted sum of scores.
#include "retriever/fusion.h"

#include <algorithm>
#include <unordered_map>

namespace vade::retriever {

std::vector<Candidate> Unite(const std::vector<vectorstore::Hit>& lexical,
                             const std::vector<vectorstore::Hit>& dense, LexicalPart part) {
  std::vector<Candidate> candidates;
  candidates.reserve(lexical.size() + dense.size());
  std::unordered_map<vectorstore::ChunkId, size_t> index_of;
  const auto at = [&](const vectorstore::Hit& hit) -> Candidate& {
    const auto [place, is_new] = index_of.try_emplace(hit.chunk, candidates.size());
    if (is_new) {
      candidates.emplace_back();
      candidates.back().chunk = hit.chunk;
      candidates.back().document = hit.document;
    }
    return candidates[place->second];
  };
  for (size_t i = 0; i < lexical.size(); ++i) {
    Candidate& candidate = at(lexical[i]);
    candidate.lexical = StageScore{i + 1, static_cast<double>(lexical[i].score)};
    candidate.words = static_cast<double>(part == LexicalPart::kPassageOnly ? lexical[i].own_score
                                                                            : lexical[i].score);
  }
  for (size_t i = 0; i < dense.size(); ++i) {
    at(dense[i]).dense = StageScore{i + 1, static_cast<double>(dense[i].score)};
  }
  return candidates;
}

void FuseScores(std::vector<Candidate>& candidates, double dense_weight) {
  const auto lexical_of = [](const Candidate& candidate) {
    return candidate.words + candidate.name_credit;
  };
  const auto dense_of = [](const Candidate& candidate) {
    return candidate.dense ? std::max(0.0, candidate.dense->score) : 0;
  };
  double best_lexical = 0;
  double best_dense = 0;
  for (const Candidate& candidate : candidates) {
    best_lexical = std::max(best_lexical, lexical_of(candidate));
    best_dense = std::max(best_dense, dense_of(candidate));
  }
  for (Candidate& candidate : candidates) {
    const double lexical = best_lexical > 0 ? lexical_of(candidate) / best_lexical : 0;
    const double dense = best_dense > 0 ? dense_of(candidate) / best_dense : 0;
    candidate.score = (1 - dense_weight) * lexical + dense_weight * dense;
  }
}

void SortByScore(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.chunk < b.chunk;
  });
}

}  // namespace vade::retriever
