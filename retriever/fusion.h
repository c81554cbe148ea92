// Fusion: the lexical and the dense list become one ranking.
#pragma once

#include <optional>
#include <vector>

#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::retriever {

/// One chunk on its way through the stages.
struct Candidate {
  vectorstore::ChunkId chunk = 0;
  vectorstore::DocumentId document = 0;
  std::optional<StageScore> lexical;
  std::optional<StageScore> dense;
  double identifier_bonus = 0;
  double title_bonus = 0;
  double score = 0;
};

/// Union of both lists; each candidate keeps its rank and score in each arm. Unordered.
[[nodiscard]] std::vector<Candidate> Unite(const std::vector<vectorstore::Hit>& lexical,
                                           const std::vector<vectorstore::Hit>& dense);

/// Sets Candidate::score from both arms: a weighted sum of scores brought to [0, 1].
/// `dense_weight` in [0, 1]; 0 leaves the lexical order.
void FuseScores(std::vector<Candidate>& candidates, double dense_weight);

/// Best first; ties by the lower chunk id, so that a result never depends on hash order.
void SortByScore(std::vector<Candidate>& candidates);

}  // namespace vade::retriever
