// trec_eval's output: per question, then the summary over all of them.
#include "qa/eval/trec_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "qa/eval/rank_measures.h"

namespace vade::qa::eval {
namespace {

constexpr double kGeometricFloor = 0.00001;  // so that one zero does not make the whole mean zero

void AddLine(std::string& out, const std::string& name, std::string_view query,
             const std::string& value) {
  out += name;
  if (name.size() < 22) out.append(22 - name.size(), ' ');
  out.append("\t").append(query).append("\t").append(value).append("\n");
}

std::string FourDecimals(double value) {
  char text[400];  // %f of the largest double has 309 digits
  std::snprintf(text, sizeof(text), "%6.4f", value);
  return text;
}

std::string Whole(double value) { return std::to_string(static_cast<int64_t>(value)); }

/// Per measure, the running totals of its values.
using Totals = std::vector<std::vector<double>>;

void AddQuery(const std::vector<TrecMeasure>& measures, const std::string& query,
              const Ranking& ranking, bool print, Totals& totals, std::string& out) {
  for (size_t m = 0; m < measures.size(); ++m) {
    const TrecMeasure& measure = measures[m];
    if (measure.aggregation == Aggregation::kText) {
      const auto length = static_cast<size_t>(std::max(measure.params[0], 0.0));
      if (print) AddLine(out, measure.names[0], query, RelevanceString(ranking, length));
      continue;
    }
    if (measure.compute == nullptr) continue;
    std::vector<double> values(measure.names.size());
    measure.compute(ranking, measure.params, values);
    for (size_t i = 0; i < values.size(); ++i) {
      const bool geometric = measure.aggregation == Aggregation::kGeometricMean;
      totals[m][i] += geometric ? std::log(std::max(values[i], kGeometricFloor)) : values[i];
      if (!print || geometric) continue;
      AddLine(
          out, measure.names[i], query,
          measure.aggregation == Aggregation::kSum ? Whole(values[i]) : FourDecimals(values[i]));
    }
  }
}

struct QueryCounts {
  size_t evaluated = 0;        // in the run and in the judgments
  size_t averaged = 0;         // what means divide by
  double judged_relevant = 0;  // over all judged queries
};

void AddSummary(const std::vector<TrecMeasure>& measures, const std::string& tag,
                const QueryCounts& counts, bool complete, const Totals& totals, std::string& out) {
  const auto divisor = static_cast<double>(counts.averaged);
  for (size_t m = 0; m < measures.size(); ++m) {
    const TrecMeasure& measure = measures[m];
    for (size_t i = 0; i < measure.names.size(); ++i) {
      const std::string& name = measure.names[i];
      switch (measure.aggregation) {
        case Aggregation::kRunTag:
          AddLine(out, name, "all", tag);
          break;
        case Aggregation::kNumQueries:
          AddLine(out, name, "all", Whole(divisor));
          break;
        case Aggregation::kSum:
          // Under -c trec_eval counts every judged query here, and grades from 1 whatever -l says.
          AddLine(
              out, name, "all",
              Whole(complete && measure.compute == NumRel ? counts.judged_relevant : totals[m][i]));
          break;
        case Aggregation::kMean:
          AddLine(out, name, "all", FourDecimals(totals[m][i] / divisor));
          break;
        case Aggregation::kGeometricMean: {
          const auto missing = static_cast<double>(counts.averaged - counts.evaluated);
          const double sum = totals[m][i] + missing * std::log(kGeometricFloor);
          AddLine(out, name, "all", FourDecimals(std::exp(sum / divisor)));
          break;
        }
        case Aggregation::kText:
          break;
      }
    }
  }
}

}  // namespace

Result<std::string> TrecReport(const Qrels& qrels, const Run& run,
                               const std::vector<TrecMeasure>& measures,
                               const TrecOptions& options) {
  Totals totals(measures.size());
  for (size_t m = 0; m < measures.size(); ++m) totals[m].resize(measures[m].names.size());
  QueryCounts counts;
  std::string out;
  for (const auto& [query, judgments] : qrels) {
    const auto found = run.queries.find(query);
    if (found != run.queries.end()) {
      const Ranking ranking = Rank(found->second, judgments, options.rank);
      AddQuery(measures, query, ranking, options.per_query, totals, out);
      ++counts.evaluated;
    }
    counts.judged_relevant += static_cast<double>(
        std::count_if(judgments.begin(), judgments.end(),
                      [](const Judgment& judgment) { return judgment.grade > 0; }));
  }
  if (counts.evaluated == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "no query of the run has judgments: the run's first query is '" +
                    (run.queries.empty() ? std::string() : run.queries.begin()->first) +
                    "', the judgments' first is '" +
                    (qrels.empty() ? std::string() : qrels.begin()->first) + "'");
  }
  counts.averaged = options.complete_average ? qrels.size() : counts.evaluated;
  if (options.summary) AddSummary(measures, run.tag, counts, options.complete_average, totals, out);
  return out;
}

}  // namespace vade::qa::eval
