// Every ISA against the definition, for lengths, row counts and extreme values.
#include "engine/kernels/vector_scan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"

namespace vade::kernels {
namespace {

class VectorScanTest : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam())) GTEST_SKIP() << "not on this CPU";
  }
};

struct Rows {
  Rows(size_t num_rows, size_t dimension, uint32_t seed, int extreme)
      : stride(CodeRowStride(dimension)), codes(num_rows * stride + 1), query(stride) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> value(-127, 127);
    const auto draw = [&] { return static_cast<int8_t>(extreme != 0 ? extreme : value(random)); };
    for (size_t i = 0; i < dimension; ++i) query[i] = draw();
    for (size_t row = 0; row < num_rows; ++row) {
      int32_t sum = 0;
      for (size_t i = 0; i < dimension; ++i) sum += codes[row * stride + i] = draw();
      sums.push_back(sum);
      scales.push_back(0.001f * static_cast<float>(1 + row));
    }
  }
  [[nodiscard]] CodeRows view() const {
    return {codes.data(), scales.data(), sums.data(), scales.size(), stride};
  }
  size_t stride;
  AlignedBuffer<int8_t> codes;
  AlignedBuffer<int8_t> query;
  std::vector<float> scales;
  std::vector<int32_t> sums;
};

TEST_P(VectorScanTest, ScoresAreThoseOfTheDefinition) {
  for (const size_t dimension : {1u, 7u, 48u, 63u, 64u, 65u, 128u, 384u, 768u, 1000u}) {
    for (const size_t num_rows : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 8u, 33u}) {
      for (const int extreme : {0, 127, -127}) {
        const Rows rows(num_rows, dimension, 5, extreme);
        constexpr float kPoison = -12345.0f;
        std::vector<float> scores(num_rows + 1, kPoison);
        GetVectorScanKernels(GetParam())
            .score_codes(rows.view(), rows.query.data(), 0.5f, scores.data());
        for (size_t row = 0; row < num_rows; ++row) {
          int64_t dot = 0;
          for (size_t i = 0; i < dimension; ++i) {
            dot += int64_t{rows.query[i]} * rows.codes[row * rows.stride + i];
          }
          // Two roundings of an exact integer: the order of the factors may differ.
          const float expected = 0.5f * rows.scales[row] * static_cast<float>(dot);
          EXPECT_NEAR(scores[row], expected, std::abs(expected) * 2.5e-7f)
              << "dimension " << dimension << " rows " << num_rows << " row " << row;
        }
        EXPECT_EQ(scores[num_rows], kPoison);
      }
    }
  }
}

uint16_t Half(int exponent, uint32_t mantissa, bool negative) {
  return static_cast<uint16_t>((negative ? 0x8000u : 0u) |
                               static_cast<uint32_t>(exponent + 15) << 10 | mantissa);
}

TEST_P(VectorScanTest, DotF16WithinRounding) {
  std::mt19937 random(11);
  for (const size_t dimension : {0u, 1u, 3u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 384u, 1023u}) {
    std::vector<float> query(dimension);
    std::vector<uint16_t> row(dimension);
    double expected = 0;
    double magnitude = 0;
    for (size_t i = 0; i < dimension; ++i) {
      const int exponent = -static_cast<int>(random() % 12) - 1;
      const uint32_t mantissa = random() % 1024;
      const bool negative = random() % 2 == 0;
      row[i] = Half(exponent, mantissa, negative);
      const double value = std::ldexp(1.0 + mantissa / 1024.0, exponent) * (negative ? -1 : 1);
      query[i] = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
      expected += value * static_cast<double>(query[i]);
      magnitude += std::abs(value * static_cast<double>(query[i]));
    }
    const float got = GetVectorScanKernels(GetParam()).dot_f16(query.data(), row.data(), dimension);
    const double bound =
        magnitude * static_cast<double>(dimension + 1) * std::numeric_limits<float>::epsilon();
    EXPECT_NEAR(static_cast<double>(got), expected, bound) << dimension;
  }
}

TEST_P(VectorScanTest, DotF16KnowsSubnormalsAndInfinity) {
  const auto dot = [&](uint16_t half) {
    const float one = 1;
    return GetVectorScanKernels(GetParam()).dot_f16(&one, &half, 1);
  };
  EXPECT_EQ(dot(0x0001), 0x1p-24f);
  EXPECT_EQ(dot(0x83ff), -1023 * 0x1p-24f);
  EXPECT_EQ(dot(0x7bff), 65504.0f);
  EXPECT_EQ(dot(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(dot(0x7e00)));
}

INSTANTIATE_TEST_SUITE_P(Isas, VectorScanTest,
                         testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& isa) { return std::string(IsaName(isa.param)); });

}  // namespace
}  // namespace vade::kernels
