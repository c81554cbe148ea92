// Scoring of arms, their comparison, and the confusion of answers and refusals.
#include "qa/eval/report.h"

#include <algorithm>
#include <array>

#include "qa/eval/rank_measures.h"

namespace vade::qa::eval {
namespace {

constexpr double kSignificant = 0.05;
constexpr size_t kMaxPairedArms = 4;  // beyond it, everything is compared with the first arm only
const std::vector<size_t> kRecallCutoffs = {1, 2, 3, 5, 10, 20, 30, 50, 100};
constexpr std::array<double, 11> kRecallPoints = {0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1};

ArmResult Score(const ArmInput& arm, const Qrels& qrels, const std::vector<Measure>& measures) {
  ArmResult result;
  result.name = arm.name;
  result.values.resize(measures.size());
  result.recall_at.resize(kRecallCutoffs.size());
  result.precision_at_recall.resize(kRecallPoints.size());
  const std::vector<double> cutoffs(kRecallCutoffs.begin(), kRecallCutoffs.end());
  for (const auto& [query, judgments] : qrels) {
    const auto found = arm.run.queries.find(query);
    const bool missing = found == arm.run.queries.end();
    result.missing += missing ? 1 : 0;
    const std::span<const Retrieved> hits =
        missing ? std::span<const Retrieved>() : std::span<const Retrieved>(found->second);
    const Ranking ranking = Rank(hits, judgments, {});
    for (size_t m = 0; m < measures.size(); ++m) {
      result.values[m].push_back(measures[m].compute(ranking));
    }
    std::vector<double> recall(cutoffs.size());
    Recall(ranking, cutoffs, recall);
    std::vector<double> precision(kRecallPoints.size());
    InterpolatedPrecision(ranking, kRecallPoints, precision);
    const auto count = static_cast<double>(qrels.size());
    for (size_t i = 0; i < recall.size(); ++i) result.recall_at[i] += recall[i] / count;
    for (size_t i = 0; i < precision.size(); ++i) {
      result.precision_at_recall[i] += precision[i] / count;
    }
    if (const auto ms = arm.latency_ms.find(query); ms != arm.latency_ms.end()) {
      result.latencies_ms.push_back(ms->second);
    }
  }
  for (const std::vector<double>& values : result.values) {
    result.means.push_back(Mean(values));
    result.intervals.push_back(BootstrapMean(values));
  }
  result.latency_p50_ms = Percentile(result.latencies_ms, 0.5);
  result.latency_p95_ms = Percentile(result.latencies_ms, 0.95);
  return result;
}

Comparison Compare(const std::vector<ArmResult>& arms, size_t a, size_t b) {
  Comparison comparison;
  comparison.a = a;
  comparison.b = b;
  for (size_t m = 0; m < arms[a].values.size(); ++m) {
    comparison.t_tests.push_back(PairedTTest(arms[b].values[m], arms[a].values[m]));
    comparison.randomization.push_back(PairedRandomization(arms[b].values[m], arms[a].values[m]));
  }
  for (size_t q = 0; q < arms[a].values[0].size(); ++q) {
    const double difference = arms[b].values[0][q] - arms[a].values[0][q];
    ++(difference > 0 ? comparison.wins : difference < 0 ? comparison.losses : comparison.ties);
  }
  return comparison;
}

std::vector<Comparison> CompareAll(const std::vector<ArmResult>& arms, size_t num_measures) {
  std::vector<Comparison> comparisons;
  for (size_t b = 1; b < arms.size(); ++b) {
    const size_t last_a = arms.size() > kMaxPairedArms ? 1 : b;
    for (size_t a = 0; a < last_a; ++a) comparisons.push_back(Compare(arms, a, b));
  }
  for (size_t m = 0; m < num_measures; ++m) {
    std::vector<double> p_values;
    for (const Comparison& each : comparisons) p_values.push_back(each.randomization[m].p);
    const std::vector<double> adjusted = HolmAdjust(p_values);
    for (size_t i = 0; i < comparisons.size(); ++i) {
      comparisons[i].adjusted_p.push_back(adjusted[i]);
    }
  }
  return comparisons;
}

/// Means of the first measure by question type and by language, where there are at least two.
std::vector<Breakdown> BreakDown(const Report& report, std::string_view label,
                                 const std::string Question::*field) {
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t q = 0; q < report.query_ids.size(); ++q) {
    const Question* question = report.InfoOf(q);
    if (question != nullptr && !(question->*field).empty()) groups[question->*field].push_back(q);
  }
  std::vector<Breakdown> out;
  if (groups.size() < 2) return out;
  for (const auto& [group, queries] : groups) {
    Breakdown breakdown{std::string(label) + ": " + group, queries.size(), {}};
    for (const ArmResult& arm : report.arms) {
      double sum = 0;
      for (const size_t q : queries) sum += arm.values[0][q];
      breakdown.means.push_back(sum / static_cast<double>(queries.size()));
    }
    out.push_back(std::move(breakdown));
  }
  return out;
}

double Share(size_t part, size_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// What refusal would be at other thresholds; evidence is the probability of an answer.
std::vector<RefusalResult::Point> RefusalCurve(const std::vector<double>& answerable,
                                               const std::vector<double>& unanswerable) {
  std::vector<RefusalResult::Point> curve;
  const auto below = [](const std::vector<double>& values, double threshold) {
    return static_cast<size_t>(std::count_if(values.begin(), values.end(),
                                             [&](double value) { return value < threshold; }));
  };
  for (int step = 1; step < 40; ++step) {
    const double threshold = step / 40.0;
    const size_t right = below(unanswerable, threshold);
    const size_t wrong = below(answerable, threshold);
    if (right + wrong == 0) continue;
    curve.push_back({threshold, Share(right, right + wrong), Share(right, unanswerable.size())});
  }
  return curve;
}

std::optional<RefusalResult> JudgeRefusals(const ReportInput& input) {
  if (input.answers.empty()) return std::nullopt;
  RefusalResult result;
  std::vector<double> answerable;
  std::vector<double> unanswerable;
  for (const Question& question : input.questions) {
    const auto found = input.answers.find(question.id);
    if (found == input.answers.end()) continue;
    const AnswerOutcome& outcome = found->second;
    (question.answerable ? answerable : unanswerable).push_back(outcome.evidence.score);
    size_t& cell =
        question.answerable
            ? (outcome.refused ? result.answerable_refused : result.answerable_answered)
            : (outcome.refused ? result.unanswerable_refused : result.unanswerable_answered);
    ++cell;
    if (question.answerable && !outcome.refused && outcome.contains) {
      ++result.checked;
      result.correct += *outcome.contains ? 1 : 0;
    }
  }
  const size_t right = result.unanswerable_refused;
  result.precision = Share(right, right + result.answerable_refused);
  result.recall = Share(right, right + result.unanswerable_answered);
  if (right > 0) {
    result.f1 = 2 * result.precision * result.recall / (result.precision + result.recall);
  }
  result.curve = RefusalCurve(answerable, unanswerable);
  return result;
}

Result<void> CheckInput(const ReportInput& input) {
  if (input.arms.empty()) return Fail(ErrorCode::kInvalidArgument, "nothing to evaluate: no run");
  if (input.qrels.empty()) return Fail(ErrorCode::kInvalidArgument, "no judged questions");
  if (input.measures.empty()) return Fail(ErrorCode::kInvalidArgument, "no measures");
  for (const ArmInput& arm : input.arms) {
    const bool overlaps =
        std::any_of(input.qrels.begin(), input.qrels.end(),
                    [&](const auto& entry) { return arm.run.queries.contains(entry.first); });
    if (!overlaps) {
      return Fail(ErrorCode::kInvalidArgument,
                  "run " + arm.name +
                      " has none of the judged queries; the first judged query is '" +
                      input.qrels.begin()->first + "'");
    }
  }
  return {};
}

void AddWarnings(Report& report) {
  const Qrels& qrels = report.input.qrels;
  for (size_t i = 0; i < report.arms.size(); ++i) {
    const Run& run = report.input.arms[i].run;
    const auto unjudged = std::count_if(run.queries.begin(), run.queries.end(),
                                        [&](const auto& q) { return !qrels.contains(q.first); });
    if (unjudged > 0) {
      report.input.warnings.push_back(report.arms[i].name + ": " + std::to_string(unjudged) +
                                      " queries of the run have no judgments and are left out");
    }
    if (report.arms[i].missing > 0) {
      report.input.warnings.push_back(report.arms[i].name + ": " +
                                      std::to_string(report.arms[i].missing) +
                                      " judged queries are missing from the run and score 0");
    }
  }
  const auto hopeless = std::count_if(qrels.begin(), qrels.end(), [](const auto& entry) {
    return std::none_of(entry.second.begin(), entry.second.end(),
                        [](const Judgment& judgment) { return judgment.grade > 0; });
  });
  if (hopeless > 0) {
    report.input.warnings.push_back(std::to_string(hopeless) +
                                    " judged queries have no relevant document and score 0");
  }
}

}  // namespace

Result<Report> MakeReport(ReportInput input) {
  VADE_CHECK_OK(CheckInput(input));
  Report report;
  report.input = std::move(input);
  report.recall_cutoffs = kRecallCutoffs;
  std::map<std::string_view, size_t> by_id;
  for (size_t i = 0; i < report.input.questions.size(); ++i) {
    by_id[report.input.questions[i].id] = i;
  }
  for (const auto& [query, judgments] : report.input.qrels) {
    report.query_ids.push_back(query);
    const auto found = by_id.find(query);
    report.question_idx.push_back(found == by_id.end() ? Report::kUnknown : found->second);
  }
  for (const ArmInput& arm : report.input.arms) {
    report.arms.push_back(Score(arm, report.input.qrels, report.input.measures));
  }
  report.comparisons = CompareAll(report.arms, report.input.measures.size());
  for (const auto& [label, field] :
       {std::pair{"type", &Question::type}, std::pair{"language", &Question::language}}) {
    for (Breakdown& each : BreakDown(report, label, field)) {
      report.breakdowns.push_back(std::move(each));
    }
  }
  report.refusal = JudgeRefusals(report.input);
  AddWarnings(report);
  return report;
}

std::string Report::Beats(size_t arm, size_t measure_idx) const {
  std::string letters;
  for (const Comparison& each : comparisons) {
    if (each.adjusted_p[measure_idx] >= kSignificant) continue;
    const double difference = each.t_tests[measure_idx].mean_difference;
    if (each.b == arm && difference > 0) letters += ArmLetter(each.a);
    if (each.a == arm && difference < 0) letters += ArmLetter(each.b);
  }
  std::sort(letters.begin(), letters.end());
  return letters;
}

bool Report::IsBest(size_t arm, size_t measure_idx) const {
  return std::none_of(arms.begin(), arms.end(), [&](const ArmResult& other) {
    return other.means[measure_idx] > arms[arm].means[measure_idx];
  });
}

std::string_view LossStageName(LossStage stage) {
  switch (stage) {
    case LossStage::kFound:
      return "found";
    case LossStage::kNotIndexed:
      return "not indexed";
    case LossStage::kBothMissed:
      return "missed by both arms";
    case LossStage::kFusionCut:
      return "cut by fusion";
    case LossStage::kRankedLow:
      break;
  }
  return "ranked too low";
}

char ArmLetter(size_t arm) { return static_cast<char>('a' + std::min<size_t>(arm, 25)); }

}  // namespace vade::qa::eval
