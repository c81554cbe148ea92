// trec_eval's output: the same lines, in the same order, with the same digits.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "qa/eval/ranking.h"
#include "qa/eval/relevance.h"
#include "qa/eval/trec_measures.h"

namespace vade::qa::eval {

struct TrecOptions {
  RankOptions rank;
  bool per_query = false;         // -q
  bool summary = true;            // false: -n
  bool complete_average = false;  // -c: judged queries missing from the run count as 0
};

/// "map                   \tall\t0.1785" and so on. Queries in byte order of their ids; those
/// without judgments are left out. Errors: kInvalidArgument when run and judgments share no query.
[[nodiscard]] Result<std::string> TrecReport(const Qrels& qrels, const Run& run,
                                             const std::vector<TrecMeasure>& measures,
                                             const TrecOptions& options);

}  // namespace vade::qa::eval
