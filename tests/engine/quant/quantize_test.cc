// Tests of engine/quant/quantize.
#include "engine/quant/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "engine/quant/block_types.h"
#include "engine/quant/half.h"

namespace vade::quant {
namespace {

std::vector<float> RandomValues(size_t n, float sigma) {
  std::mt19937 rng(7);
  std::normal_distribution<float> normal(0, sigma);
  std::vector<float> out(n);
  for (float& x : out) x = normal(rng);
  return out;
}

std::vector<float> RoundTrip(TensorType type, const std::vector<float>& values) {
  const auto bytes = Quantize(type, values);
  EXPECT_TRUE(bytes) << bytes.error().message;
  std::vector<float> out(values.size());
  InfoOf(type).dequantize(bytes->data(), out.data(), out.size());
  return out;
}

TEST(Quantize, Q8BlockHoldsScaleAndRoundedLevels) {
  std::vector<float> x(32, 0.0f);
  x[0] = 127.0f;
  x[1] = -126.0f;
  x[2] = 1.0f;
  const auto bytes = Quantize(TensorType::kQ8_0, x);
  ASSERT_TRUE(bytes);
  ASSERT_EQ(bytes->size(), sizeof(BlockQ8_0));
  BlockQ8_0 block;
  std::memcpy(&block, bytes->data(), sizeof block);
  EXPECT_EQ(HalfToFloat(block.scale), 1.0f);
  EXPECT_EQ(block.values[0], 127);
  EXPECT_EQ(block.values[1], -126);
  EXPECT_EQ(block.values[2], 1);
  EXPECT_EQ(block.values[3], 0);
}

// The scale is searched: a block is never worse than with the usual scale, and better on the whole.
TEST(Quantize, Q8ScaleLeavesLessErrorThanTheLargestValueOverItsLevels) {
  const auto x = RandomValues(4096, 0.05f);
  const auto y = RoundTrip(TensorType::kQ8_0, x);
  double all_usual = 0;
  double all_searched = 0;
  for (size_t b = 0; b < x.size(); b += 32) {
    float max_abs = 0;
    for (size_t i = b; i < b + 32; ++i) max_abs = std::max(max_abs, std::fabs(x[i]));
    const float scale = HalfToFloat(FloatToHalf(max_abs / 127));
    double usual = 0;
    double searched = 0;
    for (size_t i = b; i < b + 32; ++i) {
      const double level = std::clamp(std::nearbyint(x[i] / scale), -127.0f, 127.0f);
      usual += std::pow(level * double{scale} - double{x[i]}, 2);
      searched += std::pow(double{y[i]} - double{x[i]}, 2);
    }
    ASSERT_LE(searched, usual * 1.0001);
    all_usual += usual;
    all_searched += searched;
  }
  EXPECT_LT(all_searched, 0.95 * all_usual);
}

TEST(Quantize, Q8ErrorIsWithinHalfAStepPlusTheScalesRounding) {
  const auto x = RandomValues(4096, 0.05f);
  const auto y = RoundTrip(TensorType::kQ8_0, x);
  for (size_t b = 0; b < x.size(); b += 32) {
    float max_abs = 0;
    for (size_t i = b; i < b + 32; ++i) max_abs = std::max(max_abs, std::fabs(x[i]));
    // half a level of the largest scale tried, and the scale's binary16 rounding (2^-11) over up to
    // 127 levels
    const float bound = max_abs / (127 * 0.88f) * 0.5f + max_abs * 0x1p-11f;
    for (size_t i = b; i < b + 32; ++i) ASSERT_LE(std::fabs(x[i] - y[i]), bound * 1.001f);
  }
}

TEST(Quantize, ZeroAndSubnormalBlocksStayFinite) {
  for (const float tiny : {0.0f, 1e-45f, 1e-38f, 1e-9f}) {
    std::vector<float> x(32, tiny);
    for (const float y : RoundTrip(TensorType::kQ8_0, x)) EXPECT_LE(std::fabs(y), 1e-6f);
  }
}

TEST(Quantize, HalfAndBf16AndF32) {
  const auto x = RandomValues(100, 3.0f);
  const auto half = RoundTrip(TensorType::kF16, x);
  const auto bf16 = RoundTrip(TensorType::kBf16, x);
  EXPECT_EQ(RoundTrip(TensorType::kF32, x), x);
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(half[i], x[i], std::fabs(x[i]) * 0x1p-11f + 0x1p-25f);
    EXPECT_NEAR(bf16[i], x[i], std::fabs(x[i]) * 0x1p-8f);
  }
}

TEST(Quantize, EmptyInputGivesNoBytes) {
  const auto bytes = Quantize(TensorType::kF32, {});
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(bytes->empty());
}

TEST(Quantize, RefusesWhatCannotBeStored) {
  const std::vector<float> part(33, 1.0f);
  EXPECT_EQ(Quantize(TensorType::kQ8_0, part).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Quantize(TensorType::kQ4K, part).error().code, ErrorCode::kUnsupported);
  std::vector<float> x(32, 1.0f);
  x[5] = std::numeric_limits<float>::quiet_NaN();
  const auto nan = Quantize(TensorType::kQ8_0, x);
  ASSERT_FALSE(nan);
  EXPECT_NE(nan.error().message.find("value 5 is nan"), std::string::npos) << nan.error().message;
  x[5] = 1e6f;
  EXPECT_FALSE(Quantize(TensorType::kF16, x));
  EXPECT_TRUE(Quantize(TensorType::kQ8_0, x));
  x[5] = 1e8f;
  EXPECT_FALSE(Quantize(TensorType::kQ8_0, x));
}

}  // namespace
}  // namespace vade::quant
