// Measures by the names people use: ir_measures ("nDCG@10", "RBP(p=0.8)"), ranx and trec_eval.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "qa/eval/ranking.h"

namespace vade::qa::eval {

struct Measure {
  std::string name;  // canonical, ir_measures style: "nDCG@10", "AP", "RR", "R@100"
  std::function<double(const Ranking&)> compute;
  size_t depth = 0;  // ranks it looks at; 0: all that were retrieved
};

/// Case does not matter. Accepts name[(key=value,...)][@k], ranx aliases (mrr, hit_rate@5, f1@10,
/// ndcg_burges@10, rbp.95) and trec_eval's printed names (ndcg_cut_10, recip_rank, P_5).
/// Keys: rel=N (lowest relevant grade), p=F (persistence of RBP).
/// Errors: kInvalidArgument naming the known measures.
[[nodiscard]] Result<Measure> ParseMeasure(std::string_view text);

/// What `vade eval` shows when nothing is asked for.
[[nodiscard]] std::vector<Measure> DefaultMeasures();

}  // namespace vade::qa::eval
