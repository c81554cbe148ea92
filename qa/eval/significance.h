// Is one system better than another, or were the questions kind to it? Paired tests over questions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vade::qa::eval {

/// I_x(a, b) for a, b > 0 and x in [0, 1]; relative error below 1e-10.
[[nodiscard]] double RegularizedIncompleteBeta(double a, double b, double x);

struct TTest {
  double mean_difference = 0;  // a - b
  double t = 0;  // 0 when all differences are 0, infinite when all are equal but not 0
  double p = 1;  // two-sided; 1 with fewer than two questions
  size_t degrees_of_freedom = 0;
};

/// Student's paired t-test. REQUIRES a.size() == b.size().
[[nodiscard]] TTest PairedTTest(std::span<const double> a, std::span<const double> b);

struct RandomizationOptions {
  uint64_t samples = 100'000;  // standard error of p: sqrt(p (1 - p) / samples), at most 0.0016
  uint64_t seed = 42;
};

struct RandomizationTest {
  double p = 1;           // two-sided
  bool exact = true;      // all sign patterns were tried
  uint64_t patterns = 1;  // tried
};

/// Paired randomisation (sign-flip) test on |sum of differences|: how often would swapping the two
/// systems at random, question by question, give a difference at least as large? All patterns when
/// at most 16 questions differ, otherwise seeded samples, where the observed pattern counts as one.
/// REQUIRES a.size() == b.size().
[[nodiscard]] RandomizationTest PairedRandomization(std::span<const double> a,
                                                    std::span<const double> b,
                                                    const RandomizationOptions& options = {});

struct Interval {
  double low = 0;
  double high = 0;
};

/// Percentile bootstrap interval of the mean, seeded. Empty input: {0, 0}.
[[nodiscard]] Interval BootstrapMean(std::span<const double> values, double level = 0.95,
                                     size_t resamples = 5000, uint64_t seed = 42);

/// Holm's step-down adjustment for testing several differences at once; same order as given.
[[nodiscard]] std::vector<double> HolmAdjust(std::span<const double> p_values);

/// Mean; 0 for nothing.
[[nodiscard]] double Mean(std::span<const double> values);

/// The value below which `share` of the values lie, interpolated; 0 for nothing.
[[nodiscard]] double Percentile(std::vector<double> values, double share);

}  // namespace vade::qa::eval
