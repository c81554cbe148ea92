// Evidence: how sure we are that the documents answer the question, as one number with its reasons.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "qa/answer/question.h"
#include "vectorstore/store.h"

namespace vade::qa {

/// Answers with less are refused. Calibrated, see evidence.cc.
inline constexpr double kEvidenceThreshold = 0.45;

/// How much each term of a question says, by how few passages contain it.
struct TermWeights {
  std::vector<double> idf;    // of each question.terms
  std::vector<bool> unknown;  // occurs in no passage at all

  /// Share of the weight that `index` contains, in [0, 1]; 1 for a question without terms.
  /// Terms in `given` are left out of the account.
  [[nodiscard]] double Coverage(const Question& question, const TermIndex& index,
                                const TermIndex& given = TermIndex("")) const;
};

[[nodiscard]] Result<TermWeights> WeighTerms(const vectorstore::Store& store,
                                             const Question& question);

/// What is known about a question and its best passages. Shares are in [0, 1].
struct EvidenceFeatures {
  double best_cosine = 0;       // of the best passage; 0 without a dense arm
  double answer_cosine = 0;     // of the best piece of the answer
  double passage_coverage = 0;  // question words in the answer's passages, by idf
  double answer_coverage = 0;   // question words in the answer and its headings, by idf
  double unknown_share = 0;     // question words that occur in no passage at all, by idf
  double identifier_share = 1;  // identifiers of the question that the answer's passages hold
  double name_share = 1;        // capitalised names of the question that their documents hold
  double dense_trust = 0;       // how far the embedder knows the language, see Coverage()
  bool value_missing = false;   // a number was asked for and none stands in the answer
};

struct Evidence {
  double score = 0;  // probability that the documents answer the question
  EvidenceFeatures features;
};

[[nodiscard]] double EvidenceScore(const EvidenceFeatures& features);

}  // namespace vade::qa
