// Composer: picks the sentences, steps or table rows that answer a question, in reading order.
#pragma once

#include <string>
#include <vector>

#include "qa/answer/pieces.h"
#include "qa/answer/question.h"

namespace vade::qa {

/// Pieces that belong together and are cited as one: neighbours in one document.
struct PieceGroup {
  size_t section = 0;
  std::vector<Piece> pieces;  // in reading order

  [[nodiscard]] Span Quote() const { return {pieces.front().span.begin, pieces.back().span.end}; }
};

/// From `pieces` (best first, as ScorePieces leaves them): a whole procedure with its lead-in, one
/// or a few table rows, or up to `max_sentences` sentences. Empty when there are no pieces.
[[nodiscard]] std::vector<PieceGroup> Compose(const Question& question,
                                              const std::vector<Section>& sections,
                                              const std::vector<Piece>& pieces,
                                              size_t max_sentences);

}  // namespace vade::qa
