// Ranking: ordering and the join of retrieved documents with judgments.
#include "qa/eval/ranking.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace vade::qa::eval {
namespace {

double Rounded(double score, ScorePrecision precision) {
  if (precision == ScorePrecision::kDouble) return score;
  constexpr double kMax = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(score, -kMax, kMax));
}

int GradeOf(const std::string& doc, std::span<const Judgment> judgments) {
  const auto found = std::lower_bound(
      judgments.begin(), judgments.end(), doc,
      [](const Judgment& judgment, const std::string& id) { return judgment.doc < id; });
  if (found == judgments.end() || found->doc != doc) return kNotInPool;
  return found->grade < 0 ? kUnjudged : found->grade;
}

}  // namespace

std::vector<size_t> TrecOrder(std::span<const Retrieved> retrieved, ScorePrecision precision) {
  std::vector<double> scores(retrieved.size());
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = Rounded(retrieved[i].score, precision);
  std::vector<size_t> order(retrieved.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (scores[a] != scores[b]) return scores[a] > scores[b];
    return retrieved[a].doc > retrieved[b].doc;
  });
  return order;
}

Ranking Rank(std::span<const Retrieved> retrieved, std::span<const Judgment> judgments,
             const RankOptions& options) {
  Ranking ranking;
  ranking.relevance_level = options.relevance_level;
  for (const Judgment& judgment : judgments) {
    if (judgment.grade < 0) continue;
    const auto level = static_cast<size_t>(judgment.grade);
    if (level >= ranking.level_counts.size()) ranking.level_counts.resize(level + 1);
    ++ranking.level_counts[level];
    if (judgment.grade >= options.relevance_level) ++ranking.num_rel;
  }
  std::vector<size_t> order = TrecOrder(retrieved, options.precision);
  if (order.size() > options.max_documents) order.resize(options.max_documents);
  for (const size_t at : order) {
    const int grade = GradeOf(retrieved[at].doc, judgments);
    if (options.judged_only && grade < 0) continue;
    ranking.grades.push_back(grade);
    if (grade >= options.relevance_level) ++ranking.num_rel_ret;
  }
  return ranking;
}

}  // namespace vade::qa::eval
