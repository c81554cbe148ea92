// Paired tests against scipy's values, and their edge cases.
#include "qa/eval/significance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"

namespace vade::qa::eval {
namespace {

nlohmann::json Golden() {
  const auto text = ReadFile(VADE_SOURCE_DIR "/tests/golden/trec_eval/significance.json");
  return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

TEST(Significance, MatchesTheReference) {
  const nlohmann::json golden = Golden();
  ASSERT_TRUE(golden.is_array());
  ASSERT_GE(golden.size(), 5U);
  for (const auto& item : golden) {
    const auto a = item["a"].get<std::vector<double>>();
    const auto b = item["b"].get<std::vector<double>>();
    SCOPED_TRACE("n = " + std::to_string(a.size()));
    const TTest t = PairedTTest(a, b);
    EXPECT_NEAR(t.mean_difference, item["mean_difference"].get<double>(), 1e-12);
    if (item.contains("t_statistic")) {
      const auto want_t = item["t_statistic"].get<double>();
      EXPECT_NEAR(t.t, want_t, 1e-9 * std::abs(want_t));
      EXPECT_EQ(t.degrees_of_freedom, item["t_degrees_of_freedom"].get<size_t>());
    }
    // scipy has no p for a t of 0/0: nothing differs, so we report 1.
    const auto& reference_p = item["t_test_two_sided_p"];
    const double want_p = reference_p.is_null() ? 1.0 : reference_p.get<double>();
    EXPECT_NEAR(t.p, want_p, 1e-6 * want_p);

    const RandomizationTest r = PairedRandomization(a, b);
    const auto want_r = item["permutation_two_sided_p"].get<double>();
    if (a.size() <= 16) {
      EXPECT_TRUE(r.exact);
      EXPECT_NEAR(r.p, want_r, 1e-12);
    } else {
      const double variance = want_r * (1 - want_r);
      const auto samples = item["permutation_samples"].get<double>();
      EXPECT_NEAR(r.p, want_r, 4 * std::sqrt(variance / 100'000 + variance / samples) + 2e-5);
    }
  }
}

TEST(IncompleteBeta, KnownValues) {
  EXPECT_EQ(RegularizedIncompleteBeta(2, 3, 0), 0);
  EXPECT_EQ(RegularizedIncompleteBeta(2, 3, 1), 1);
  EXPECT_NEAR(RegularizedIncompleteBeta(1, 1, 0.3), 0.3, 1e-14);
  EXPECT_NEAR(RegularizedIncompleteBeta(2, 3, 0.4), 0.5248, 1e-12);  // 1 - sum of binomials
  EXPECT_NEAR(RegularizedIncompleteBeta(0.5, 0.5, 0.5), 0.5, 1e-13);
  EXPECT_NEAR(RegularizedIncompleteBeta(5, 5, 0.7) + RegularizedIncompleteBeta(5, 5, 0.3), 1,
              1e-13);
}

TEST(PairedTTest, EdgeCases) {
  const std::vector<double> a = {0.5, 0.5, 0.5};
  const std::vector<double> b = {0.25, 0.25, 0.25};
  EXPECT_EQ(PairedTTest(a, a).p, 1);
  EXPECT_EQ(PairedTTest(a, b).p, 0);  // every question differs by the same amount
  EXPECT_TRUE(std::isinf(PairedTTest(a, b).t));
  EXPECT_EQ(PairedTTest({}, {}).p, 1);
  EXPECT_EQ(PairedTTest(std::span(a).first(1), std::span(b).first(1)).p, 1);
}

TEST(PairedRandomization, EdgeCases) {
  const std::vector<double> a = {1, 1, 1};
  const std::vector<double> b = {0, 0, 0};
  EXPECT_DOUBLE_EQ(PairedRandomization(a, b).p, 0.25);
  EXPECT_EQ(PairedRandomization(a, a).p, 1);
  EXPECT_EQ(PairedRandomization({}, {}).p, 1);
}

TEST(PairedRandomization, SamplingAgreesWithItselfAndNeverReportsZero) {
  std::vector<double> a(200, 1.0);
  std::vector<double> b(200, 0.0);
  const RandomizationTest test = PairedRandomization(a, b, {1000, 7});
  EXPECT_FALSE(test.exact);
  EXPECT_DOUBLE_EQ(test.p, 1.0 / 1001);
  EXPECT_EQ(PairedRandomization(a, b, {1000, 7}).p, test.p);
}

TEST(BootstrapMean, CoversTheMeanAndShrinks) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2);
  const Interval interval = BootstrapMean(values);
  // The standard error of the mean is 0.025; 1.96 of them either way.
  EXPECT_NEAR(interval.low, 0.451, 0.006);
  EXPECT_NEAR(interval.high, 0.549, 0.006);
  const std::vector<double> constant(10, 0.3);
  EXPECT_NEAR(BootstrapMean(constant).low, 0.3, 1e-12);
  EXPECT_EQ(BootstrapMean({}).high, 0);
}

TEST(HolmAdjust, StepsDown) {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
  const std::vector<double> adjusted = HolmAdjust(p);
  EXPECT_NEAR(adjusted[3], 0.02, 1e-15);
  EXPECT_NEAR(adjusted[0], 0.03, 1e-15);
  EXPECT_NEAR(adjusted[2], 0.06, 1e-15);
  EXPECT_NEAR(adjusted[1], 0.06, 1e-15);
  EXPECT_TRUE(HolmAdjust({}).empty());
}

TEST(Percentile, Interpolates) {
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 1.0), 4);
  EXPECT_DOUBLE_EQ(Percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace vade::qa::eval
