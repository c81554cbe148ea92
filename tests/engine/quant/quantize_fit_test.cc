// Tests of engine/quant/quantize_fit.
#include "engine/quant/quantize_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace vade::quant {
namespace {

TEST(QuantizeFit, ValuesOnALineGiveTheLineBack) {
  float x[32];
  for (int i = 0; i < 32; ++i) x[i] = 0.25f * static_cast<float>(i * 7 % 16) - 1.5f;
  const Line line = FitLine<32>(x, 15, false);
  EXPECT_NEAR(line.scale, 0.25f, 1e-6f);
  EXPECT_NEAR(line.offset, -1.5f, 1e-6f);
  float levels[32];
  EXPECT_NEAR(NearestLevels<32>(x, line, EvenLevels{0, 15}, levels), 0.0f, 1e-10f);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(levels[i], static_cast<float>(i * 7 % 16));
}

TEST(QuantizeFit, OffsetStaysBelowZeroWhenItMust) {
  float x[16];
  for (int i = 0; i < 16; ++i) x[i] = 3.0f + 0.1f * static_cast<float>(i);
  EXPECT_GT(FitLine<16>(x, 15, false).offset, 2.9f);
  const Line line = FitLine<16>(x, 15, true);
  EXPECT_LE(line.offset, 0.0f);
  float levels[16];
  // Sixteen levels from 0 to 4.5 are 0.3 apart: half of that at most.
  EXPECT_LE(NearestLevels<16>(x, line, EvenLevels{0, 15}, levels), 16 * 0.15f * 0.15f);
}

TEST(QuantizeFit, ScaleHasTheSignThatReachesThePeak) {
  float x[16] = {};
  x[3] = 8.0f;  // level -8 exists, 8 does not
  x[4] = -7.0f;
  x[5] = 3.0f;
  EXPECT_NEAR(FitScale<16>(x, EvenLevels{-8, 7}), -1.0f, 1e-6f);
  for (float& value : x) value = -value;
  EXPECT_NEAR(FitScale<16>(x, EvenLevels{-8, 7}), 1.0f, 1e-6f);
}

TEST(QuantizeFit, NoValuesButZeroAndNoneLargeEnoughToDivideBy) {
  const float zeros[32] = {};
  EXPECT_EQ(FitScale<32>(zeros, EvenLevels{-8, 7}), 0.0f);
  EXPECT_EQ(FitLine<32>(zeros, 15, true).scale, 0.0f);
  float tiny[32];
  std::ranges::fill(tiny, std::numeric_limits<float>::denorm_min());
  for (const Line line : {FitLine<32>(tiny, 15, false), FitLine<32>(tiny, 15, true)}) {
    EXPECT_TRUE(std::isfinite(line.scale) && std::isfinite(line.offset));
  }
  float levels[32];
  EXPECT_EQ(NearestLevels<32>(tiny, {0, 0}, EvenLevels{-8, 7}, levels), 0.0f);
  EXPECT_TRUE(std::ranges::all_of(levels, [](float level) { return level == 0.0f; }));
}

TEST(QuantizeFit, Iq4LevelsAreTheNearestOfTheTable) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<float> uniform(-140, 140);
  for (int i = 0; i < 10000; ++i) {
    const float x = uniform(rng);
    float least = std::numeric_limits<float>::max();
    for (const int8_t level : kIq4Values) {
      least = std::min(least, std::fabs(x - static_cast<float>(level)));
    }
    ASSERT_EQ(std::fabs(x - Iq4Levels{}(x)), least) << x;
  }
}

}  // namespace
}  // namespace vade::quant
