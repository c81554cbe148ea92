// Tests of engine/quant/quantize.
#include "engine/quant/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>

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

// Every block type, and the noise an even grid of its size leaves when it just spans a group: the
// search must do better. Rounding noise of step d is d / sqrt(12) rms.
struct BlockType {
  TensorType type;
  size_t group;         // values that share a scale
  float steps;          // between the ends of the levels
  bool affine;          // the ends are the group's own, else +-peak
  double second_order;  // allowance for scales that are rounded themselves (the K types)
};
constexpr BlockType kBlockTypes[] = {
    {TensorType::kQ4_0, 32, 15, false, 1.0},
    {TensorType::kQ4_1, 32, 15, true, 1.0},
    {TensorType::kQ5_0, 32, 31, false, 1.0},
    {TensorType::kQ5_1, 32, 31, true, 1.0},
    {TensorType::kQ8_0, 32, 254, false, 1.0},
    {TensorType::kIq4Nl, 32, 10, false, 1.0},  // its widest steps are a tenth of the whole
    {TensorType::kQ2K, 16, 3, true, 1.15},     // 4-bit scales
    {TensorType::kQ3K, 16, 7, false, 1.0},
    {TensorType::kQ4K, 32, 15, true, 1.1},
    {TensorType::kQ5K, 32, 31, true, 1.1},
    {TensorType::kQ6K, 16, 63, false, 1.0},
};

class QuantizeBlocks : public ::testing::TestWithParam<BlockType> {};

double SpanningNoise(const BlockType& type, const std::vector<float>& x) {
  double noise = 0;
  for (size_t g = 0; g < x.size(); g += type.group) {
    const auto [low, high] = std::minmax_element(&x[g], &x[g] + type.group);
    const float peak = std::max(std::fabs(*low), std::fabs(*high));
    const double span = double{type.affine ? *high - *low : 2 * peak};
    noise += std::pow(span / double{type.steps}, 2) / 12 * static_cast<double>(type.group);
  }
  return noise * std::pow(type.second_order, 2);
}

double SquaredError(const std::vector<float>& x, const std::vector<float>& y) {
  double error = 0;
  for (size_t i = 0; i < x.size(); ++i) error += std::pow(double{x[i]} - double{y[i]}, 2);
  return error;
}

TEST_P(QuantizeBlocks, LeaveLessErrorThanASpanningGrid) {
  std::vector<float> x = RandomValues(256 * 64, 0.02f);
  EXPECT_LE(SquaredError(x, RoundTrip(GetParam().type, x)), SpanningNoise(GetParam(), x));
  for (size_t i = 0; i < x.size(); i += 97) x[i] *= 8;  // outliers
  EXPECT_LE(SquaredError(x, RoundTrip(GetParam().type, x)), SpanningNoise(GetParam(), x));
}

TEST_P(QuantizeBlocks, KeepTheirPrecisionAtEveryMagnitude) {
  const auto x = RandomValues(1024, 1.0f);
  const double error = SquaredError(x, RoundTrip(GetParam().type, x));
  for (const float scale : {0x1p-6f, 0x1p-3f, 0x1p8f}) {
    std::vector<float> scaled = x;
    for (float& value : scaled) value *= scale;
    const double got = SquaredError(scaled, RoundTrip(GetParam().type, scaled));
    EXPECT_NEAR(got / std::pow(double{scale}, 2), error, 0.02 * error) << scale;
  }
}

// Their scales are subnormal binary16 numbers there, of the K formats above all.
TEST_P(QuantizeBlocks, SmallWeightsKeepThreeQuartersOfTheirPrecision) {
  std::vector<float> x = RandomValues(4096, 1.0f);
  const double error = SquaredError(x, RoundTrip(GetParam().type, x));
  for (float& value : x) value *= 0x1p-13f;
  const double small = SquaredError(x, RoundTrip(GetParam().type, x)) * 0x1p26;
  EXPECT_LE(std::sqrt(small), 4.0 / 3 * std::sqrt(error));
}

TEST_P(QuantizeBlocks, EndsOfTheRangeStayFinite) {
  const std::vector<float> extremes = {0.0f,  -0.0f,     1e-45f,   -1e-38f, 1e-9f,
                                       1e-4f, -65504.0f, 65504.0f, 1.0f};
  std::mt19937 rng(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> x(256);
    for (float& value : x) value = extremes[rng() % (round < 100 ? 6 : extremes.size())];
    const auto y = RoundTrip(GetParam().type, x);
    double norm = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(std::isfinite(y[i]));
      norm += std::pow(double{x[i]}, 2);
    }
    // Never worse than storing nothing at all, but for what binary16 scales cannot resolve.
    ASSERT_LE(SquaredError(x, y), norm * 1.001 + 1e-5) << round;
  }
}

TEST_P(QuantizeBlocks, ConstantBlocks) {
  for (const float constant : {0.0f, 0.7f, -0.7f}) {
    const std::vector<float> x(256, constant);
    // Second-level scales of 4 bits and more hit a constant within their own rounding.
    for (const float y : RoundTrip(GetParam().type, x)) EXPECT_NEAR(y, constant, 0.7f / 256);
  }
}

TEST_P(QuantizeBlocks, RowsWrittenApartAreTheSameBytes) {
  const auto x = RandomValues(1024, 0.3f);
  const TensorTypeInfo& info = InfoOf(GetParam().type);
  const auto whole = Quantize(info.type, x).value();
  EXPECT_EQ(Quantize(info.type, x).value(), whole);
  std::vector<std::byte> parts(whole.size() + 1);  // one byte off: alignment must not matter
  const size_t half = whole.size() / 2;
  const std::span<std::byte> out = std::span(parts).subspan(1);
  ASSERT_TRUE(QuantizeTo(info.type, std::span(x).first(512), out.first(half)));
  ASSERT_TRUE(QuantizeTo(info.type, std::span(x).last(512), out.subspan(half)));
  EXPECT_TRUE(std::ranges::equal(out, whole));
}

TEST_P(QuantizeBlocks, RefuseWhatTheyCannotHold) {
  const TensorTypeInfo& info = InfoOf(GetParam().type);
  std::vector<float> x(256, 0.5f);
  EXPECT_EQ(Quantize(info.type, std::span(x).first(255)).error().code, ErrorCode::kInvalidArgument);
  std::vector<std::byte> out(256 / info.block_values * info.block_bytes);
  EXPECT_EQ(QuantizeTo(info.type, x, std::span(out).first(out.size() - 1)).error().code,
            ErrorCode::kInvalidArgument);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 1e8f}) {
    x[200] = bad;
    const auto refused = QuantizeTo(info.type, x, out);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorruptData);
    EXPECT_NE(refused.error().message.find("value 200 is "), std::string::npos);
  }
  EXPECT_TRUE(std::ranges::all_of(out, [](std::byte b) { return b == std::byte{0}; }));
}

INSTANTIATE_TEST_SUITE_P(Types, QuantizeBlocks, ::testing::ValuesIn(kBlockTypes),
                         [](const auto& param) {
                           return std::string(InfoOf(param.param.type).name);
                         });

TEST(Quantize, RefusesWhatCannotBeStored) {
  const std::vector<float> part(33, 1.0f);
  EXPECT_EQ(Quantize(TensorType::kQ8_0, part).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Quantize(TensorType::kIq2Xs, part).error().code, ErrorCode::kUnsupported);
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
