// Measures over relevant/non-relevant, as trec_eval 9.0.8 defines them.
#include "qa/eval/rank_measures.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vade::qa::eval {
namespace {

double Ratio(int64_t numerator, int64_t denominator) {
  return denominator == 0 ? 0.0 : static_cast<double>(numerator) / static_cast<double>(denominator);
}

/// Relevant documents among the first `cutoff`.
int64_t RelevantUpTo(const Ranking& ranking, int64_t cutoff) {
  int64_t found = 0;
  const auto end = static_cast<size_t>(std::min(cutoff, ranking.num_ret()));
  for (size_t i = 0; i < end; ++i) found += ranking.relevant(i) ? 1 : 0;
  return found;
}

/// Calls value(cutoff, relevant documents up to it) for each of the ascending cut-offs, in one
/// pass.
template <typename Value>
void AtCutoffs(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out,
               const Value& value) {
  int64_t rank = 0;
  int64_t found = 0;
  for (size_t i = 0; i < cutoffs.size(); ++i) {
    const auto cutoff = static_cast<int64_t>(cutoffs[i]);
    for (; rank < std::min(cutoff, ranking.num_ret()); ++rank) {
      found += ranking.relevant(static_cast<size_t>(rank)) ? 1 : 0;
    }
    out[i] = value(cutoff, found);
  }
}

/// Sum of the precisions at each relevant document among the first `cutoff`.
double SumOfPrecisions(const Ranking& ranking, int64_t cutoff) {
  double sum = 0;
  int64_t found = 0;
  for (int64_t i = 0; i < std::min(cutoff, ranking.num_ret()); ++i) {
    if (ranking.relevant(static_cast<size_t>(i))) sum += Ratio(++found, i + 1);
  }
  return sum;
}

/// Relevant documents needed for a share of all of them. The 0.9 is trec_eval 9's way to round up
/// without being fooled by 0.1 * 10 > 1; version 10 rounds to nearest.
int64_t Needed(double share, int64_t num_rel) {
  return static_cast<int64_t>(share * static_cast<double>(num_rel) + 0.9);
}

}  // namespace

void NumRet(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] = static_cast<double>(ranking.num_ret());
}
void NumRel(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] = static_cast<double>(ranking.num_rel);
}
void NumRelRet(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] = static_cast<double>(ranking.num_rel_ret);
}
void NumNonrelJudgedRet(const Ranking& ranking, MeasureParams, std::span<double> out) {
  for (size_t i = 0; i < ranking.grades.size(); ++i) out[0] += ranking.judged_nonrelevant(i);
}

void AveragePrecision(const Ranking& ranking, MeasureParams, std::span<double> out) {
  if (ranking.num_rel == 0) return;
  out[0] = SumOfPrecisions(ranking, ranking.num_ret()) / static_cast<double>(ranking.num_rel);
}

void AveragePrecisionCut(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out) {
  if (ranking.num_rel == 0) return;
  for (size_t i = 0; i < cutoffs.size(); ++i) {
    out[i] = SumOfPrecisions(ranking, static_cast<int64_t>(cutoffs[i])) /
             static_cast<double>(ranking.num_rel);
  }
}

void RPrecision(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] = Ratio(RelevantUpTo(ranking, ranking.num_rel), ranking.num_rel);
}

void RPrecisionMultiples(const Ranking& ranking, MeasureParams multiples, std::span<double> out) {
  for (size_t i = 0; i < multiples.size(); ++i) {
    const int64_t cutoff = Needed(multiples[i], ranking.num_rel);
    out[i] = Ratio(RelevantUpTo(ranking, cutoff), cutoff);
  }
}

void ReciprocalRank(const Ranking& ranking, MeasureParams, std::span<double> out) {
  for (size_t i = 0; i < ranking.grades.size(); ++i) {
    if (!ranking.relevant(i)) continue;
    out[0] = 1.0 / static_cast<double>(i + 1);
    return;
  }
}

void Precision(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out) {
  AtCutoffs(ranking, cutoffs, out,
            [](int64_t cutoff, int64_t found) { return Ratio(found, cutoff); });
}

void Recall(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out) {
  AtCutoffs(ranking, cutoffs, out,
            [&](int64_t, int64_t found) { return Ratio(found, ranking.num_rel); });
}

void RelativePrecision(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out) {
  AtCutoffs(ranking, cutoffs, out, [&](int64_t cutoff, int64_t found) {
    return Ratio(found, std::min(cutoff, ranking.num_rel));
  });
}

void Success(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out) {
  AtCutoffs(ranking, cutoffs, out, [](int64_t, int64_t found) { return found > 0 ? 1.0 : 0.0; });
}

void InterpolatedPrecision(const Ranking& ranking, MeasureParams recalls, std::span<double> out) {
  // best[r] = best precision at or below the rank of the (r+1)-th relevant document.
  std::vector<double> best;
  for (size_t i = 0; i < ranking.grades.size(); ++i) {
    if (!ranking.relevant(i)) continue;
    best.push_back(static_cast<double>(best.size() + 1) / static_cast<double>(i + 1));
  }
  for (size_t r = best.size(); r > 1; --r) best[r - 2] = std::max(best[r - 2], best[r - 1]);
  for (size_t i = 0; i < recalls.size(); ++i) {
    const auto needed =
        static_cast<size_t>(std::max<int64_t>(Needed(recalls[i], ranking.num_rel), 1));
    out[i] = needed <= best.size() ? best[needed - 1] : 0.0;
  }
}

void ElevenPointAverage(const Ranking& ranking, MeasureParams recalls, std::span<double> out) {
  std::vector<double> values(recalls.size());
  InterpolatedPrecision(ranking, recalls, values);
  double sum = 0;
  for (size_t i = values.size(); i > 0; --i) sum += values[i - 1];
  if (!values.empty()) out[0] = sum / static_cast<double>(values.size());
}

void Bpref(const Ranking& ranking, MeasureParams, std::span<double> out) {
  if (ranking.num_rel == 0) return;
  int64_t num_nonrel = 0;
  for (size_t level = 0; level < ranking.level_counts.size(); ++level) {
    if (static_cast<int>(level) < ranking.relevance_level)
      num_nonrel += ranking.level_counts[level];
  }
  int64_t nonrel_so_far = 0;
  double sum = 0;
  for (size_t i = 0; i < ranking.grades.size(); ++i) {
    if (ranking.judged_nonrelevant(i)) ++nonrel_so_far;
    if (!ranking.relevant(i)) continue;
    sum += 1.0 -
           Ratio(std::min(nonrel_so_far, ranking.num_rel), std::min(num_nonrel, ranking.num_rel));
  }
  out[0] = sum / static_cast<double>(ranking.num_rel);
}

void InferredAp(const Ranking& ranking, MeasureParams, std::span<double> out) {
  if (ranking.num_rel == 0) return;
  constexpr double kEpsilon = 0.00001;  // trec_eval's smoothing of the judged precision
  double sum = 0;
  int64_t relevant = 0, nonrelevant = 0, unjudged = 0;
  for (size_t i = 0; i < ranking.grades.size(); ++i) {
    if (ranking.grades[i] == kUnjudged) ++unjudged;
    if (ranking.judged_nonrelevant(i)) ++nonrelevant;
    if (!ranking.relevant(i)) continue;
    const auto above = static_cast<double>(i);
    if (i == 0) {
      sum += 1.0;
    } else {
      const auto judged = static_cast<double>(relevant + nonrelevant);
      const double pooled = (judged + static_cast<double>(unjudged)) / above;
      const double judged_precision =
          (static_cast<double>(relevant) + kEpsilon) / (judged + 2 * kEpsilon);
      sum += 1.0 / (above + 1.0) + (above / (above + 1.0)) * pooled * judged_precision;
    }
    ++relevant;
  }
  out[0] = sum / static_cast<double>(ranking.num_rel);
}

void SmoothedAp(const Ranking& ranking, MeasureParams, std::span<double> out) {
  const double sum = SumOfPrecisions(ranking, ranking.num_ret());
  out[0] = std::log((1.0 + sum) / (1.0 + static_cast<double>(ranking.num_rel) - sum));
}

void SetPrecision(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] = Ratio(ranking.num_rel_ret, ranking.num_ret());
}
void SetRecall(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] = Ratio(ranking.num_rel_ret, ranking.num_rel);
}
void SetRelativePrecision(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] = Ratio(ranking.num_rel_ret, std::min(ranking.num_ret(), ranking.num_rel));
}
void SetMap(const Ranking& ranking, MeasureParams, std::span<double> out) {
  out[0] =
      Ratio(ranking.num_rel_ret, ranking.num_ret()) * Ratio(ranking.num_rel_ret, ranking.num_rel);
}
void SetF(const Ranking& ranking, MeasureParams weight, std::span<double> out) {
  if (ranking.num_rel_ret == 0) return;
  const double precision = Ratio(ranking.num_rel_ret, ranking.num_ret());
  const double recall = Ratio(ranking.num_rel_ret, ranking.num_rel);
  out[0] = (weight[0] + 1.0) * precision * recall / (recall + weight[0] * precision);
}

void Utility(const Ranking& ranking, MeasureParams weights, std::span<double> out) {
  const auto found = static_cast<double>(ranking.num_rel_ret);
  const auto retrieved = static_cast<double>(ranking.num_ret());
  const auto relevant = static_cast<double>(ranking.num_rel);
  out[0] = weights[0] * found + weights[1] * (retrieved - found) + weights[2] * (relevant - found) +
           weights[3] * (weights[4] + found - retrieved - relevant);
}

std::string RelevanceString(const Ranking& ranking, size_t length) {
  std::string out = "'";
  for (size_t i = 0; i < std::min(length, ranking.grades.size()); ++i) {
    const int grade = ranking.grades[i];
    if (grade > 9) {
      out += '>';
    } else if (grade >= 0) {
      out += static_cast<char>('0' + grade);
    } else {
      out += grade == kNotInPool ? '-' : '.';
    }
  }
  out += '\'';
  return out;
}

}  // namespace vade::qa::eval
