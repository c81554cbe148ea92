// The result of an evaluation: what the table, the JSON and the HTML page show. Pure computation
// from runs and judgments; nothing here knows a store.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "qa/answer/evidence.h"
#include "qa/eval/collection.h"
#include "qa/eval/measure.h"
#include "qa/eval/relevance.h"
#include "qa/eval/significance.h"

namespace vade::qa::eval {

/// Where a judged document was lost on its way into the hybrid result.
enum class LossStage : uint8_t {
  kFound,       // within the top k
  kNotIndexed,  // no such document in the store: not read, skipped, or no text
  kBothMissed,  // neither arm has it among its candidates
  kFusionCut,   // an arm had it within the top k, fusion ranked it lower
  kRankedLow,   // a candidate of an arm, but below the top k of both
};

/// The answer to one question, when answers were asked for.
struct AnswerOutcome {
  bool refused = false;
  Evidence evidence;             // why it was answered or refused
  std::optional<bool> contains;  // the answer holds the reference strings, where there are any
  std::string text;
};

struct LostDocument {
  std::string question;  // id
  std::string doc;
  LossStage stage = LossStage::kFound;
  size_t lexical_rank = 0;  // 0: not among the candidates
  size_t dense_rank = 0;
  size_t final_rank = 0;
};

/// One system under comparison.
struct ArmInput {
  std::string name;
  Run run;
  std::map<std::string, double, std::less<>> latency_ms;  // by question; empty for run files
};

struct ReportInput {
  std::string title;    // collection and split
  std::string ranking;  // how documents were ranked: "by their best passage (max-passage)"
  std::vector<std::string> facts;  // "5183 documents", "embedder ..."
  std::vector<std::string> warnings;
  std::vector<Question> questions;  // may be empty for run files: ids come from the judgments
  Qrels qrels;
  std::vector<ArmInput> arms;
  std::vector<Measure> measures;  // the first is the one plotted per question
  std::map<std::string, AnswerOutcome, std::less<>> answers;
  double evidence_threshold = 0;
  std::vector<LostDocument> lost;
  size_t lost_depth = 10;
  std::map<std::string, std::string, std::less<>>
      document_titles;  // for the table of hard questions
};

struct ArmResult {
  std::string name;
  std::vector<std::vector<double>> values;  // [measure][question]
  std::vector<double> means;                // [measure]
  std::vector<Interval> intervals;          // [measure], 95 % bootstrap
  double latency_p50_ms = 0;
  double latency_p95_ms = 0;
  std::vector<double> latencies_ms;         // in question order
  std::vector<double> recall_at;            // for Report::recall_cutoffs
  std::vector<double> precision_at_recall;  // interpolated, at recall 0, 0.1, ... 1
  size_t missing = 0;                       // judged questions the run has nothing for
};

/// Arm b against arm a, per measure.
struct Comparison {
  size_t a = 0, b = 0;         // indexes of arms
  std::vector<TTest> t_tests;  // of b - a
  std::vector<RandomizationTest> randomization;
  std::vector<double> adjusted_p;  // randomisation p, Holm over all pairs of arms for the measure
  size_t wins = 0, ties = 0, losses = 0;  // of b, questions, first measure
};

struct Breakdown {
  std::string group;  // "type: table", "language: ko"
  size_t questions = 0;
  std::vector<double> means;  // [arm], first measure
};

struct RefusalResult {
  size_t answerable_answered = 0, answerable_refused = 0;
  size_t unanswerable_answered = 0, unanswerable_refused = 0;
  double precision = 0;  // of refusals: share that were right
  double recall = 0;     // share of unanswerable questions that were refused
  double f1 = 0;
  size_t checked = 0;  // answered questions with reference strings
  size_t correct = 0;  // of those, answers that hold them
  /// Refusal precision and recall had the threshold been elsewhere.
  struct Point {
    double threshold = 0, precision = 0, recall = 0;
  };
  std::vector<Point> curve;
};

struct Report {
  ReportInput input;
  std::vector<std::string> query_ids;  // judged questions, in order of the values
  std::vector<size_t> question_idx;    // same order: into input.questions, or kUnknown
  std::vector<size_t> recall_cutoffs;
  std::vector<ArmResult> arms;
  std::vector<Comparison> comparisons;
  std::vector<Breakdown> breakdowns;
  std::optional<RefusalResult> refusal;

  static constexpr size_t kUnknown = static_cast<size_t>(-1);
  /// What is known about the q-th judged question; null for run files without questions.
  [[nodiscard]] const Question* InfoOf(size_t q) const {
    return question_idx[q] == kUnknown ? nullptr : &input.questions[question_idx[q]];
  }
  /// Letters of the arms that `arm` beats significantly (adjusted p < 0.05) in a measure.
  [[nodiscard]] std::string Beats(size_t arm, size_t measure_idx) const;
  /// Ties count as best.
  [[nodiscard]] bool IsBest(size_t arm, size_t measure_idx) const;
};

/// Scores every arm. A judged question that an arm has nothing for scores 0 (trec_eval -c).
/// Errors: kInvalidArgument when there is no arm or no judged question, or an arm answers none.
[[nodiscard]] Result<Report> MakeReport(ReportInput input);

[[nodiscard]] std::string_view LossStageName(LossStage stage);

/// The letter of an arm: a, b, c, ... z.
[[nodiscard]] char ArmLetter(size_t arm);

}  // namespace vade::qa::eval
