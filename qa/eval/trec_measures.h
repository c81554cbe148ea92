// The table of trec_eval's measures and what `-m name.params` means.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "qa/eval/gain_measures.h"

namespace vade::qa::eval {

enum class Aggregation {
  kRunTag,         // summary only: the run's tag
  kNumQueries,     // summary only
  kSum,            // whole numbers, added up
  kMean,           // averaged over questions
  kGeometricMean,  // summary only: exp of the mean log, values below 0.00001 raised to it
  kText,           // per question only (relstring)
};

/// A measure as asked for: one compute call gives names.size() values.
struct TrecMeasure {
  Aggregation aggregation = Aggregation::kMean;
  void (*compute)(const Ranking&, MeasureParams, std::span<double>) = nullptr;
  std::vector<double> params;
  std::vector<std::string> names;  // as printed: "ndcg_cut_10"
};

/// The measures of all `-m` arguments, in trec_eval's own order whatever the order of arguments.
/// "official", "all_trec" and "set" name groups; none given means "official". Parameters of one
/// measure given several times are united. num_docs_in_collection (-N) is for utility.
/// Errors: kInvalidArgument for an unknown name or bad parameters, with what would be right.
[[nodiscard]] Result<std::vector<TrecMeasure>> ParseTrecMeasures(
    std::span<const std::string> arguments, int64_t num_docs_in_collection = 0);

}  // namespace vade::qa::eval
