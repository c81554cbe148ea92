// Paired significance tests and bootstrap intervals.
#include "qa/eval/significance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "engine/base/check.h"

namespace vade::qa::eval {
namespace {

/// Sums that differ by rounding only are equal.
constexpr double kTieTolerance = 1e-12;
constexpr size_t kMaxExact = 16;

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), evaluated
/// by Lentz's method. Converges fast for x < (a + 1) / (a + b + 2).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;  // stands for zero in a denominator
  constexpr double kEnough = 1e-15;
  constexpr int kMaxTerms = 10'000;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double result = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double step = 1.0;
    for (const double term : {even, odd}) {
      d = 1.0 / away_from_zero(1.0 + term * d);
      c = away_from_zero(1.0 + term / c);
      step = c * d;
      result *= step;
    }
    if (std::abs(step - 1.0) < kEnough) break;
  }
  return result;
}

/// Differences that are not zero; the others cannot change a sum.
std::vector<double> NonZeroDifferences(std::span<const double> a, std::span<const double> b) {
  VADE_CHECK(a.size() == b.size());
  std::vector<double> differences;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) differences.push_back(a[i] - b[i]);
  }
  return differences;
}

RandomizationTest AllPatterns(const std::vector<double>& differences, double observed) {
  const uint64_t total = uint64_t{1} << differences.size();
  uint64_t extreme = 0;
  for (uint64_t pattern = 0; pattern < total; ++pattern) {
    double sum = 0;
    for (size_t i = 0; i < differences.size(); ++i) {
      sum += (pattern >> i & 1) != 0 ? differences[i] : -differences[i];
    }
    if (std::abs(sum) >= observed - kTieTolerance) ++extreme;
  }
  return {static_cast<double>(extreme) / static_cast<double>(total), true, total};
}

/// Eight signs at a time: the signed sum of each byte-sized group is looked up.
RandomizationTest SampledPatterns(const std::vector<double>& differences, double observed,
                                  const RandomizationOptions& options) {
  std::vector<std::array<double, 256>> sums((differences.size() + 7) / 8);
  for (size_t group = 0; group < sums.size(); ++group) {
    for (size_t signs = 0; signs < 256; ++signs) {
      double sum = 0;
      for (size_t bit = 0; bit < 8 && group * 8 + bit < differences.size(); ++bit) {
        const double difference = differences[group * 8 + bit];
        sum += (signs >> bit & 1) != 0 ? difference : -difference;
      }
      sums[group][signs] = sum;
    }
  }
  std::mt19937_64 random(options.seed);
  uint64_t extreme = 1;
  for (uint64_t sample = 0; sample < options.samples; ++sample) {
    double sum = 0;
    uint64_t bits = 0;
    for (size_t group = 0; group < sums.size(); ++group, bits >>= 8) {
      if (group % 8 == 0) bits = random();
      sum += sums[group][bits & 0xFF];
    }
    if (std::abs(sum) >= observed - kTieTolerance) ++extreme;
  }
  const uint64_t patterns = options.samples + 1;
  return {static_cast<double>(extreme) / static_cast<double>(patterns), false, patterns};
}

}  // namespace

double RegularizedIncompleteBeta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double log_front =
      std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x);
  const double front = std::exp(log_front);
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

TTest PairedTTest(std::span<const double> a, std::span<const double> b) {
  VADE_CHECK(a.size() == b.size());
  TTest test;
  const size_t n = a.size();
  if (n == 0) return test;
  std::vector<double> differences(n);
  for (size_t i = 0; i < n; ++i) differences[i] = a[i] - b[i];
  test.mean_difference = Mean(differences);
  if (n < 2) return test;
  test.degrees_of_freedom = n - 1;
  double squares = 0;
  for (const double difference : differences) {
    squares += (difference - test.mean_difference) * (difference - test.mean_difference);
  }
  const auto df = static_cast<double>(n - 1);
  const double standard_error = std::sqrt(squares / df / static_cast<double>(n));
  if (standard_error == 0) {
    if (test.mean_difference == 0) return test;
    test.t = std::copysign(std::numeric_limits<double>::infinity(), test.mean_difference);
    test.p = 0;
    return test;
  }
  test.t = test.mean_difference / standard_error;
  test.p = RegularizedIncompleteBeta(df / 2, 0.5, df / (df + test.t * test.t));
  return test;
}

RandomizationTest PairedRandomization(std::span<const double> a, std::span<const double> b,
                                      const RandomizationOptions& options) {
  const std::vector<double> differences = NonZeroDifferences(a, b);
  const double observed = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0));
  return differences.size() <= kMaxExact ? AllPatterns(differences, observed)
                                         : SampledPatterns(differences, observed, options);
}

Interval BootstrapMean(std::span<const double> values, double level, size_t resamples,
                       uint64_t seed) {
  if (values.empty() || resamples == 0) return {};
  std::mt19937_64 random(seed);
  const uint64_t n = values.size();
  std::vector<double> means(resamples);
  for (double& mean : means) {
    double sum = 0;
    for (uint64_t i = 0; i < n; ++i) {
      sum += values[((random() >> 32) * n) >> 32];  // uniform to one part in 2^32 / n
    }
    mean = sum / static_cast<double>(n);
  }
  const double tail = (1 - level) / 2;
  return {Percentile(means, tail), Percentile(means, 1 - tail)};
}

std::vector<double> HolmAdjust(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto remaining = static_cast<double>(order.size() - i);
    largest = std::max(largest, std::min(1.0, remaining * p_values[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

double Mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace vade::qa::eval
