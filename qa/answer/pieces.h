// Pieces: every sentence, list, list item and table row of the passages, scored for the question.
#pragma once

#include <string>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/result.h"
#include "qa/answer/evidence.h"
#include "qa/answer/question.h"
#include "qa/answer/units.h"
#include "retriever/passages.h"
#include "retriever/retriever.h"

namespace vade::qa {

enum class PieceKind : uint8_t { kSentence, kLeadIn, kStep, kTableRow };

/// The text of one passage in whole blocks.
struct Section {
  size_t passage = 0;  // index into the passages
  const retriever::DocumentView* view = nullptr;
  std::vector<std::string> headings;  // document title first
  std::vector<TextBlock> blocks;
  TermIndex name{""};                    // title and path: words every piece of it satisfies
  std::vector<std::string> identifiers;  // of title and path

  [[nodiscard]] std::string_view Text(Span span) const;
};

struct Piece {
  PieceKind kind = PieceKind::kSentence;
  bool whole_list = false;  // all items of a list with its lead-in, as one
  size_t section = 0;
  size_t block = 0;
  size_t part = 0;
  Span span;            // of the document's text
  std::string text;     // as shown: white space folded, a table row as "Header: cell" pairs
  std::string setting;  // what gives it its meaning: headings, table header, lead-in
  std::string near;     // the nearest of these
  std::string heading;  // sub-heading it stands under inside its section; empty if none
  double prior = 0;     // score of its passage relative to the best, in [0, 1]
  double cosine = 0;    // to the question; 0 without an embedder
  double coverage = 0;  // question words in text and setting, by idf
  double score = 0;
};

/// Runs of white space as one space, trimmed.
[[nodiscard]] std::string FoldSpace(std::string_view text);

/// A block that two passages share is read once, for the better one.
[[nodiscard]] Result<std::vector<Section>> ReadSections(
    const std::vector<retriever::Passage>& passages, retriever::DocumentCache& documents);

[[nodiscard]] std::vector<Piece> CollectPieces(const Question& question,
                                               const std::vector<Section>& sections,
                                               const std::vector<retriever::Passage>& passages);

/// How pieces are compared with the question. Either member may be missing.
struct PieceEmbedding {
  embed::Embedder* embedder = nullptr;
  const std::vector<float>* query_vector = nullptr;
  double trust = 0;  // 0: the embedder does not know the question's language
};

/// Sets cosine, coverage and score.
[[nodiscard]] Result<void> ScorePieces(const Question& question, const TermWeights& weights,
                                       const std::vector<Section>& sections,
                                       const PieceEmbedding& embedding, std::vector<Piece>& pieces);

}  // namespace vade::qa
