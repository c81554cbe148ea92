#include "engine/model/decoder_rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace vade::model {
namespace {

constexpr size_t kPosition = 100;

RopeConfig Config(size_t dims) {
  RopeConfig config;
  config.style = RopeStyle::kHalves;
  config.dims = dims;
  config.base = 10000;
  return config;
}

// cos and sin of every pair at kPosition.
struct Angles {
  explicit Angles(const RopeFrequencies& frequencies)
      : cosines(frequencies.half()), sines(frequencies.half()) {
    frequencies.Fill(kPosition, cosines.data(), sines.data());
  }
  std::vector<float> cosines;
  std::vector<float> sines;
};

void ExpectAngles(const Angles& got, const std::vector<double>& want, double magnitude = 1) {
  ASSERT_EQ(got.cosines.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got.cosines[i], magnitude * std::cos(want[i]), 1e-5) << i;
    EXPECT_NEAR(got.sines[i], magnitude * std::sin(want[i]), 1e-5) << i;
  }
}

std::vector<double> Plain(size_t dims, double position) {
  std::vector<double> angles;
  for (size_t i = 0; i < dims / 2; ++i) {
    angles.push_back(position *
                     std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(dims)));
  }
  return angles;
}

TEST(Rope, AnglesAreAGeometricSeries) {
  ExpectAngles(Angles(RopeFrequencies(Config(16), {})), Plain(16, kPosition));
}

TEST(Rope, LinearScalingDividesPositions) {
  RopeConfig config = Config(16);
  config.scaling.position_scale = 0.25f;
  ExpectAngles(Angles(RopeFrequencies(config, {})), Plain(16, kPosition / 4.0));
}

TEST(Rope, FactorsDivideEachFrequency) {
  const std::vector<float> factors = {1, 2, 4, 8};
  std::vector<double> want = Plain(8, kPosition);
  for (size_t i = 0; i < want.size(); ++i) want[i] /= double{factors[i]};
  RopeConfig config = Config(8);
  config.scaling.attention_factor = 1.19f;  // longrope has both
  ExpectAngles(Angles(RopeFrequencies(config, factors)), want, 1.19);
}

// Peng et al. 2023: pairs that turn often within the original context keep their frequency, pairs
// that turn less than once are divided by the factor, between them linear in the pair's index.
TEST(Rope, YarnKeepsTheFastAndScalesTheSlow) {
  RopeConfig config = Config(64);
  config.scaling.yarn = true;
  config.scaling.position_scale = 0.25f;
  config.scaling.original_ctx_len = 2048;
  const auto turns = [](size_t pair) {
    const double wavelength =
        2 * std::numbers::pi * std::pow(10000.0, static_cast<double>(pair) / 32);
    return 2048 / wavelength;
  };
  const std::vector<double> plain = Plain(64, kPosition);
  const Angles got{RopeFrequencies(config, {})};
  size_t num_kept = 0;
  size_t num_scaled = 0;
  for (size_t i = 0; i < 32; ++i) {
    // The ramp begins and ends on whole pairs: one pair of slack on either side.
    if (i + 1 < 32 && turns(i + 1) > 32) {
      EXPECT_NEAR(got.sines[i], std::sin(plain[i]), 1e-5) << i;
      ++num_kept;
    } else if (i > 0 && turns(i - 1) < 1) {
      EXPECT_NEAR(got.sines[i], std::sin(plain[i] / 4), 1e-5) << i;
      ++num_scaled;
    }
  }
  EXPECT_GT(num_kept, 5u);
  EXPECT_GT(num_scaled, 5u);
}

TEST(Rope, BothLayoutsTurnTheirPairs) {
  const RopeFrequencies frequencies(Config(4), {});
  const Angles angles{frequencies};
  RopeRows rows;
  rows.Reserve(2, 2);
  rows.Set(1, kPosition, frequencies);
  const std::vector<float> x = {1, 2, 3, 4, 9};
  const auto turn = [&](float a, float b, size_t pair) {
    return std::pair(a * angles.cosines[pair] - b * angles.sines[pair],
                     a * angles.sines[pair] + b * angles.cosines[pair]);
  };
  auto halves = x;  // a head of five values, of which four turn
  rows.Rotate(kernels::ActiveKernels(), RopeStyle::kHalves, 1, 1, 5, halves.data());
  EXPECT_NEAR(halves[0], turn(1, 3, 0).first, 1e-6);
  EXPECT_NEAR(halves[2], turn(1, 3, 0).second, 1e-6);
  EXPECT_NEAR(halves[1], turn(2, 4, 1).first, 1e-6);
  EXPECT_NEAR(halves[3], turn(2, 4, 1).second, 1e-6);
  EXPECT_EQ(halves[4], 9);
  auto adjacent = x;
  rows.Rotate(kernels::ActiveKernels(), RopeStyle::kAdjacent, 1, 1, 5, adjacent.data());
  EXPECT_NEAR(adjacent[0], turn(1, 2, 0).first, 1e-6);
  EXPECT_NEAR(adjacent[1], turn(1, 2, 0).second, 1e-6);
  EXPECT_NEAR(adjacent[2], turn(3, 4, 1).first, 1e-6);
  EXPECT_NEAR(adjacent[3], turn(3, 4, 1).second, 1e-6);
  EXPECT_EQ(adjacent[4], 9);
}

}  // namespace
}  // namespace vade::model
