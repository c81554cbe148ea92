// Answerer: a question -> an answer composed of words that stand in the documents, or an honest
// "not in these documents". No language model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/result.h"
#include "qa/answer/citation.h"
#include "qa/answer/composer.h"
#include "qa/answer/evidence.h"
#include "qa/answer/question.h"
#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::qa {

struct AnswerOptions {
  retriever::SearchOptions search;          // k: passages read for the answer, at least 5 are taken
  std::vector<retriever::Passage> carried;  // read besides those found: of the turn before
  size_t max_sentences = 3;                 // of running text; a procedure is given whole
  double threshold = kEvidenceThreshold;    // evidence below it is refused; 0 always answers
};

/// One line of the answer, in reading order.
struct AnswerPiece {
  PieceKind kind = PieceKind::kSentence;
  std::string text;     // table rows are given as "Header: cell" pairs
  size_t citation = 0;  // 1-based number in Answer::citations
  double score = 0;     // how well it fits the question, within this answer only
};

struct Answer {
  bool refused = false;
  Language language = Language::kEnglish;  // of the fixed phrases
  QuestionKind kind = QuestionKind::kFact;
  std::vector<AnswerPiece> pieces;  // empty when refused
  std::vector<Citation> citations;  // in order of number
  Evidence evidence;                // why it was answered or refused
  retriever::SearchResult search;   // the passages it was made from; the nearest when refused
  std::vector<retriever::StageTiming> timings;  // the search's stages and the answer's

  /// The whole answer with its [n] marks, one line per piece of a list or a table.
  [[nodiscard]] std::string Text() const;
};

/// Thread-safe as its parts. Does not own them.
class Answerer {
 public:
  /// `embedder` may be null: then words alone decide. `reranker` may be null.
  Answerer(const vectorstore::Store* store, embed::Embedder* embedder,
           retriever::Reranker* reranker = nullptr)
      : store_(store), embedder_(embedder), reranker_(reranker) {}

  /// Errors: those of the search; kInvalidArgument for an empty question.
  [[nodiscard]] Result<Answer> Ask(std::string_view question, const AnswerOptions& options) const;

 private:
  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  retriever::Reranker* reranker_;
};

}  // namespace vade::qa
