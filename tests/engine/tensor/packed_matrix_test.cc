// Packing and products of both forms, against double arithmetic on the stored values.
#include "engine/tensor/packed_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "engine/quant/quantize.h"

namespace vade::tensor {
namespace {

using quant::TensorType;

struct Stored {
  std::vector<std::byte> bytes;
  std::vector<float> values;  // what the bytes mean
  StoredMatrix matrix;
};

Stored Store(TensorType type, size_t n, size_t k, const std::vector<float>& values) {
  Stored stored;
  stored.bytes = quant::Quantize(type, values).value();
  stored.values.resize(n * k);
  quant::InfoOf(type).dequantize(stored.bytes.data(), stored.values.data(), n * k);
  stored.matrix = {type, stored.bytes, n, k};
  return stored;
}

std::vector<float> Random(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> value(0.0f, 1.0f);
  std::vector<float> out(n);
  for (float& x : out) x = value(random);
  return out;
}

// y = x * w^T through Operand and Product, columns in two pieces.
std::vector<float> Multiply(const PackedMatrix& w, const std::vector<float>& x, size_t m) {
  const auto& kernels = kernels::ActiveKernels();
  Operand operand;
  operand.Reserve(m, w.k(), w.form() == Form::kF32);
  operand.Shape(w);
  for (size_t row = 0; row < m; ++row) {
    operand.Store(kernels, row, 0, {x.data() + row * w.k(), w.k()});
  }
  std::vector<float> y(m * w.n());
  const size_t cut = w.n() > kernels::kPanelWidth ? kernels::kPanelWidth : 0;
  for (const auto& [col, n] : {std::pair{size_t{0}, cut}, std::pair{cut, w.n() - cut}}) {
    Product{.x = operand, .w = w, .y = y.data() + col, .ldy = w.n()}.Run(kernels, 0, m, col, n);
  }
  return y;
}

// Largest difference to the exact product, in units of |x| |w| of the row and column.
double WorstError(const std::vector<float>& y, const std::vector<float>& x,
                  const std::vector<float>& w, size_t m, size_t n, size_t k) {
  double worst = 0;
  for (size_t row = 0; row < m; ++row) {
    for (size_t col = 0; col < n; ++col) {
      double sum = 0;
      double xx = 0;
      double ww = 0;
      for (size_t i = 0; i < k; ++i) {
        const double a = x[row * k + i];
        const double b = w[col * k + i];
        sum += a * b;
        xx += a * a;
        ww += b * b;
      }
      worst = std::max(worst, std::abs(y[row * n + col] - sum) / std::sqrt(xx * ww));
    }
  }
  return worst;
}

TEST(PackedMatrix, ProductsOfEveryForm) {
  const size_t m = 5;
  for (const size_t n : {1u, 32u, 45u, 96u}) {
    for (const size_t k : {32u, 96u, 384u, 768u, 1024u}) {
      const auto x = Random(m * k, 1);
      for (const TensorType type :
           {TensorType::kF32, TensorType::kF16, TensorType::kBf16, TensorType::kQ8_0}) {
        const Stored w = Store(type, n, k, Random(n * k, 2));
        const auto packed = PackedMatrix::Pack({&w.matrix, 1}, FormOf(type));
        EXPECT_EQ(packed.n(), n);
        EXPECT_EQ(packed.k(), k);
        // Integers: steps of max / 4095 and max / 1365, max about 4 standard deviations, averaged
        // over k terms: 4 / 1365 / sqrt(12 k) < 2e-4 for k = 32.
        const double tolerance = packed.form() == Form::kF32 ? 2e-6 : 1e-3;
        EXPECT_LT(WorstError(Multiply(packed, x, m), x, w.values, m, n, k), tolerance)
            << n << "x" << k << " type " << quant::InfoOf(type).name;
      }
    }
  }
}

TEST(PackedMatrix, StacksPartsOfDifferentTypes) {
  const size_t k = 64;
  const Stored a = Store(TensorType::kQ8_0, 33, k, Random(33 * k, 3));
  const Stored b = Store(TensorType::kF16, 40, k, Random(40 * k, 4));
  const std::vector<StoredMatrix> parts = {a.matrix, b.matrix};
  EXPECT_EQ(FormOf(parts), Form::kI16);
  const auto packed = PackedMatrix::Pack(parts, FormOf(parts));
  auto values = a.values;
  values.insert(values.end(), b.values.begin(), b.values.end());
  const auto x = Random(2 * k, 5);
  EXPECT_LT(WorstError(Multiply(packed, x, 2), x, values, 2, 73, k), 1e-3);
}

TEST(PackedMatrix, PackedBytesIsWhatPackTakes) {
  const Stored w = Store(TensorType::kQ8_0, 33, 768, Random(33 * 768, 6));
  // 33 rows are two panels of 32; two groups of 384 with a scale and a sum each.
  EXPECT_EQ(PackedMatrix::PackedBytes({&w.matrix, 1}, Form::kI16), 64u * 768 * 2 + 2 * 64 * 2 * 4);
  EXPECT_EQ(PackedMatrix::PackedBytes({&w.matrix, 1}, Form::kF32), 64u * 768 * 4);
}

TEST(PackedMatrix, Groups) {
  EXPECT_EQ(GroupOf(Form::kI16, 384), 384u);
  EXPECT_EQ(GroupOf(Form::kI16, 1536), 384u);
  EXPECT_EQ(GroupOf(Form::kI16, 1024), 256u);
  EXPECT_EQ(GroupOf(Form::kI16, 32), 32u);
  EXPECT_EQ(GroupOf(Form::kI16, 48), std::nullopt);
  EXPECT_EQ(GroupOf(Form::kF32, 7), 7u);
}

// faults.md 16: a broken weight or activation makes its outputs non-finite, not wrong.
TEST(PackedMatrix, NonFiniteValuesReachTheOutput) {
  const size_t k = 64;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Stored w = Store(TensorType::kF32, 3, k, Random(3 * k, 7));
    auto values = w.values;
    values[k + 5] = bad;
    std::memcpy(w.bytes.data(), values.data(), w.bytes.size());
    for (const Form form : {Form::kF32, Form::kI16}) {
      const auto y = Multiply(PackedMatrix::Pack({&w.matrix, 1}, form), Random(k, 8), 1);
      EXPECT_TRUE(std::isfinite(y[0]));
      EXPECT_FALSE(std::isfinite(y[1]));
      EXPECT_TRUE(std::isfinite(y[2]));
    }
    const Stored good = Store(TensorType::kQ8_0, 3, k, Random(3 * k, 7));
    auto x = Random(k, 8);
    x[9] = bad;
    for (const float v : Multiply(PackedMatrix::Pack({&good.matrix, 1}, Form::kI16), x, 1)) {
      EXPECT_FALSE(std::isfinite(v));
    }
  }
}

}  // namespace
}  // namespace vade::tensor
