#include "vectorstore/vector_codec.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace vade::vectorstore {
namespace {

TEST(VectorCodec, EveryHalfSurvivesTheWayThroughF32) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const auto value = F32FromF16(static_cast<uint16_t>(half));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(F32FromF16(F16FromF32(value))));
    } else {
      EXPECT_EQ(F16FromF32(value), half);
    }
  }
}

TEST(VectorCodec, F16RoundsToNearestEven) {
  EXPECT_EQ(F16FromF32(1.0f + 0x1p-11f), 0x3c00);  // a tie goes to the even mantissa
  EXPECT_EQ(F16FromF32(1.0f + 3 * 0x1p-11f), 0x3c02);
  EXPECT_EQ(F16FromF32(1.0f + 0x1.1p-11f), 0x3c01);
  EXPECT_EQ(F16FromF32(65519.0f), 0x7bff);
  EXPECT_EQ(F16FromF32(65520.0f), 0x7c00);
  EXPECT_EQ(F16FromF32(0x1p-25f), 0x0000);
  EXPECT_EQ(F16FromF32(0x1.8p-25f), 0x0001);
}

TEST(VectorCodec, CodesAreWithinHalfAStep) {
  std::vector<float> vector(384);
  for (size_t i = 0; i < vector.size(); ++i) vector[i] = std::sin(static_cast<float>(i)) * 0.2f;
  std::vector<int8_t> codes(vector.size());
  const float scale = QuantizeInt8(vector, codes);
  for (size_t i = 0; i < vector.size(); ++i) {
    EXPECT_LE(std::abs(static_cast<float>(codes[i]) * scale - vector[i]), scale * 0.5001f);
  }
  const std::vector<float> zero(8);
  std::vector<int8_t> zero_codes(8, 1);
  EXPECT_EQ(QuantizeInt8(zero, zero_codes), 0.0f);
  EXPECT_EQ(zero_codes, std::vector<int8_t>(8));
}

TEST(VectorCodec, UnitVectorsOnly) {
  EXPECT_TRUE(IsUnitVector(std::array{0.6f, 0.8f}));
  EXPECT_FALSE(IsUnitVector(std::array{0.6f, 0.9f}));
  EXPECT_FALSE(IsUnitVector(std::array{0.0f, 0.0f}));
  EXPECT_FALSE(IsUnitVector(std::array{std::numeric_limits<float>::quiet_NaN(), 0.0f}));
  EXPECT_FALSE(IsUnitVector(std::array{std::numeric_limits<float>::infinity(), 0.0f}));
}

}  // namespace
}  // namespace vade::vectorstore
