// Fusion: the lexical and the dense list become one ranking.
#pragma once

#include <optional>
#include <vector>

#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::retriever {

/// Which lexical score enters fusion. A document is found by all it says, a passage by what stands
/// in it: with the document's share every passage of a long manual would look alike.
enum class LexicalPart { kWithDocument, kPassageOnly };

/// One chunk on its way through the stages.
struct Candidate {
  vectorstore::ChunkId chunk = 0;
  vectorstore::DocumentId document = 0;
  std::optional<StageScore> lexical;
  std::optional<StageScore> dense;
  double words = 0;        // lexical score that enters fusion, by LexicalPart
  double name_credit = 0;  // added to it, see AddNameCredit
  double identifier_bonus = 0;
  double score = 0;
  std::optional<StageScore> fused;  // what `score` was before a reranker
  std::optional<StageScore> reranked;
};

/// Union of both lists; each candidate keeps its rank and score in each arm. Unordered.
[[nodiscard]] std::vector<Candidate> Unite(const std::vector<vectorstore::Hit>& lexical,
                                           const std::vector<vectorstore::Hit>& dense,
                                           LexicalPart part = LexicalPart::kWithDocument);

/// Sets Candidate::score from both arms: the weighted sum of their scores, each divided by the best
/// of its arm. `dense_weight` in [0, 1]; 0 leaves the lexical order.
///
/// Scores and not ranks, because their distances say how sure an arm is: with reciprocal ranks
/// (k = 60) a weak dense arm pulls a good lexical one down. Measured, nDCG@10 of lexical / RRF /
/// this: emanual-s10 .876 / .851 / .908, cranfield .526 / .566 / .577, demo (test) .492 / .450 /
/// .529. A negative cosine counts as 0. The weight is flat around 0.5 (+-0.1: at most .01 on any of
/// them).
void FuseScores(std::vector<Candidate>& candidates, double dense_weight);

/// Best first; ties by the lower chunk id, so that a result never depends on hash order.
void SortByScore(std::vector<Candidate>& candidates);

}  // namespace vade::retriever
