// Ranking: one question's retrieved documents in trec_eval's order, seen through its judgments.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "qa/eval/relevance.h"

namespace vade::qa::eval {

/// trec_eval 9.0.8 keeps scores as 32-bit floats, so that scores equal to about seven digits tie;
/// version 10 keeps 64 bits.
enum class ScorePrecision { kSingle, kDouble };

struct RankOptions {
  int relevance_level = 1;  // -l: grades from here on count as relevant
  size_t max_documents = std::numeric_limits<size_t>::max();  // -M: deeper ones are ignored
  bool judged_only = false;  // -J: documents without a judgment are removed first
  ScorePrecision precision = ScorePrecision::kSingle;
};

inline constexpr int kNotInPool = -1;  // a retrieved document nobody looked at
inline constexpr int kUnjudged = -2;   // in the pool, but with a negative grade

/// One question: grades by rank and what the judgments hold.
struct Ranking {
  std::vector<int> grades;            // by rank; >= 0, kNotInPool or kUnjudged
  std::vector<int64_t> level_counts;  // judged documents of grade i
  int relevance_level = 1;
  int64_t num_rel = 0;
  int64_t num_rel_ret = 0;

  [[nodiscard]] int64_t num_ret() const { return static_cast<int64_t>(grades.size()); }
  [[nodiscard]] bool relevant(size_t rank_idx) const { return grades[rank_idx] >= relevance_level; }
  [[nodiscard]] bool judged_nonrelevant(size_t rank_idx) const {
    return grades[rank_idx] >= 0 && grades[rank_idx] < relevance_level;
  }
};

/// Indexes into `retrieved`, best first: by score, ties by document id, both descending.
[[nodiscard]] std::vector<size_t> TrecOrder(std::span<const Retrieved> retrieved,
                                            ScorePrecision precision);

/// `judgments` sorted by document id.
[[nodiscard]] Ranking Rank(std::span<const Retrieved> retrieved,
                           std::span<const Judgment> judgments, const RankOptions& options);

}  // namespace vade::qa::eval
