// Gain-based measures. All share two sequences: the gains retrieved, by rank, and the ideal ones.
#include "qa/eval/gain_measures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace vade::qa::eval {
namespace {

double Discount(size_t rank_idx) { return std::log2(static_cast<double>(rank_idx + 2)); }

struct Gains {
  std::vector<double> retrieved;  // by rank
  std::vector<double> ideal;      // positive gains of all judged documents, descending
};

double GainOf(int grade, MeasureParams pairs) {
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    if (static_cast<int>(pairs[i]) == grade) return pairs[i + 1];
  }
  return grade > 0 ? grade : 0.0;
}

Gains GainsOf(const Ranking& ranking, MeasureParams pairs) {
  Gains gains;
  gains.retrieved.reserve(ranking.grades.size());
  for (const int grade : ranking.grades) gains.retrieved.push_back(GainOf(grade, pairs));
  for (size_t level = 0; level < ranking.level_counts.size(); ++level) {
    const double gain = GainOf(static_cast<int>(level), pairs);
    if (gain <= 0) continue;
    gains.ideal.insert(gains.ideal.end(), static_cast<size_t>(ranking.level_counts[level]), gain);
  }
  std::sort(gains.ideal.begin(), gains.ideal.end(), std::greater<>());
  return gains;
}

/// dcg[i] = DCG of the first i entries; one longer than `gains`.
std::vector<double> CumulativeDcg(const std::vector<double>& gains) {
  std::vector<double> dcg(gains.size() + 1);
  for (size_t i = 0; i < gains.size(); ++i) {
    dcg[i + 1] = dcg[i] + (gains[i] != 0 ? gains[i] / Discount(i) : 0.0);
  }
  return dcg;
}

double UpTo(const std::vector<double>& cumulative, size_t count) {
  return cumulative[std::min(count, cumulative.size() - 1)];
}

}  // namespace

void Ndcg(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out) {
  const Gains gains = GainsOf(ranking, gain_pairs);
  if (gains.ideal.empty()) return;
  out[0] = CumulativeDcg(gains.retrieved).back() / CumulativeDcg(gains.ideal).back();
}

void NdcgCut(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out) {
  const Gains gains = GainsOf(ranking, {});
  if (gains.ideal.empty()) return;
  const std::vector<double> dcg = CumulativeDcg(gains.retrieved);
  const std::vector<double> ideal_dcg = CumulativeDcg(gains.ideal);
  for (size_t i = 0; i < cutoffs.size(); ++i) {
    const auto cutoff = static_cast<size_t>(cutoffs[i]);
    out[i] = UpTo(dcg, cutoff) / UpTo(ideal_dcg, cutoff);
  }
}

double NdcgAt(const Ranking& ranking, MeasureParams gain_pairs, size_t cutoff) {
  const Gains gains = GainsOf(ranking, gain_pairs);
  if (gains.ideal.empty()) return 0;
  return UpTo(CumulativeDcg(gains.retrieved), cutoff) / UpTo(CumulativeDcg(gains.ideal), cutoff);
}

void NdcgRel(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out) {
  const Gains gains = GainsOf(ranking, gain_pairs);
  if (gains.ideal.empty()) return;
  const std::vector<double> dcg = CumulativeDcg(gains.retrieved);
  const std::vector<double> ideal_dcg = CumulativeDcg(gains.ideal);
  double sum = 0;
  size_t found = 0;
  for (size_t i = 0; i < gains.retrieved.size(); ++i) {
    if (gains.retrieved[i] <= 0) continue;
    sum += dcg[i + 1] / UpTo(ideal_dcg, i + 1);
    ++found;
  }
  const auto num_gains = static_cast<double>(gains.ideal.size());
  sum += (num_gains - static_cast<double>(found)) * dcg.back() / ideal_dcg.back();
  if (sum > 0) out[0] = sum / num_gains;
}

void Rndcg(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out) {
  const Gains gains = GainsOf(ranking, gain_pairs);
  if (gains.ideal.empty()) return;
  const std::vector<double> dcg = CumulativeDcg(gains.retrieved);
  const std::vector<double> ideal_dcg = CumulativeDcg(gains.ideal);
  double sum = 0;
  size_t num_points = 0;
  for (size_t i = 1; i <= gains.ideal.size(); ++i) {
    if (i < gains.ideal.size() && gains.ideal[i] == gains.ideal[i - 1]) continue;
    sum += UpTo(dcg, i) / ideal_dcg[i];
    ++num_points;
  }
  // trec_eval takes the end of the list as one more point, but not when the list ends within one
  // document of the last change.
  if (gains.retrieved.size() > gains.ideal.size() + 1) {
    sum += dcg.back() / ideal_dcg.back();
    ++num_points;
  }
  out[0] = sum / static_cast<double>(num_points);
}

void NormalizedGain(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out) {
  const Gains gains = GainsOf(ranking, gain_pairs);
  if (gains.ideal.empty()) return;
  double total = 0;
  for (const double gain : gains.ideal) total += gain;
  double cost = 0;  // each rank costs at least 1, also where the ideal order has ended
  double seen = 0;
  double sum = 0;
  for (size_t i = 0; i < gains.retrieved.size(); ++i) {
    cost += i < gains.ideal.size() ? std::max(gains.ideal[i], 1.0) : 1.0;
    seen += gains.retrieved[i];
    if (gains.retrieved[i] != 0) sum += gains.retrieved[i] / std::log2(2 + cost - seen);
  }
  out[0] = sum / total;
}

void BinaryGain(const Ranking& ranking, MeasureParams, std::span<double> out) {
  double sum = 0;
  size_t relevant = 0;
  for (size_t i = 0; i < ranking.grades.size(); ++i) {
    if (!ranking.relevant(i)) continue;
    ++relevant;
    sum += 1.0 / std::log2(static_cast<double>(3 + i - relevant));
  }
  if (relevant > 0) out[0] = sum / static_cast<double>(ranking.num_rel);
}

}  // namespace vade::qa::eval
