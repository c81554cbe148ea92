// Products with weights of every stored type in the form decoders use, on every instruction set,
// against double arithmetic on the dequantised weights.
//
// Activations are integers with 127 in every block, so that 8 bits hold them exactly: what is left
// are the roundings of f32, and a bound follows from the sum of magnitudes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/quant/block_types.h"
#include "engine/quant/half.h"
#include "engine/tensor/packed_matrix.h"

namespace vade::tensor {
namespace {

using kernels::Isa;
using quant::TensorType;

constexpr double kEps = 1.2e-7;  // of f32

struct TypeCase {
  TensorType type;
  std::vector<size_t> half_fields;  // offsets of the block's f16 scales
  // Of the largest of 32 weights: what packing may change in a weight. 0: nothing.
  double rounding = 0;
};

std::vector<TypeCase> Types() {
  using namespace quant;
  return {
      {TensorType::kQ8_0, {offsetof(BlockQ8_0, scale)}},
      {TensorType::kQ4_0, {offsetof(BlockQ4_0, scale)}},
      {TensorType::kQ4_1, {offsetof(BlockQ4_1, scale), offsetof(BlockQ4_1, min)}},
      {TensorType::kQ5_0, {offsetof(BlockQ5_0, scale)}},
      {TensorType::kQ5_1, {offsetof(BlockQ5_1, scale), offsetof(BlockQ5_1, min)}},
      {TensorType::kIq4Nl, {offsetof(BlockIq4Nl, scale)}},
      {TensorType::kMxfp4, {}},
      {TensorType::kQ2K, {offsetof(BlockQ2K, scale), offsetof(BlockQ2K, min)}},
      {TensorType::kQ3K, {offsetof(BlockQ3K, scale)}},
      {TensorType::kQ4K, {offsetof(BlockQ4K, scale), offsetof(BlockQ4K, min)}},
      {TensorType::kQ5K, {offsetof(BlockQ5K, scale), offsetof(BlockQ5K, min)}},
      {TensorType::kQ6K, {offsetof(BlockQ6K, scale)}},
      {TensorType::kIq4Xs, {offsetof(BlockIq4Xs, scale)}},
      {TensorType::kTq1_0, {offsetof(BlockTq1_0, scale)}},
      {TensorType::kTq2_0, {offsetof(BlockTq2_0, scale)}},
      {TensorType::kIq2Xxs, {offsetof(BlockIq2Xxs, scale)}, 1.0 / 252},
      {TensorType::kIq3S, {offsetof(BlockIq3S, scale)}, 1.0 / 252},
      {TensorType::kF16, {0}},
      {TensorType::kBf16, {}},
      {TensorType::kF32, {}},
  };
}

class DecoderProducts : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!kernels::IsSupported(GetParam())) GTEST_SKIP() << "not on this CPU";
    table_ = &kernels::KernelsFor(GetParam());
  }

  struct Stored {
    std::vector<std::byte> bytes;
    std::vector<float> values;  // what the bytes mean
    StoredMatrix matrix;
  };

  // Arbitrary bytes with finite scales: every code and every sub-scale occurs.
  Stored RandomBlocks(const TypeCase& c, size_t n, size_t k) {
    const auto& info = quant::InfoOf(c.type);
    Stored out;
    out.bytes.resize(n * k / info.block_values * info.block_bytes);
    std::uniform_real_distribution<float> scale(-0.05f, 0.05f);
    for (auto& byte : out.bytes) byte = static_cast<std::byte>(random_());
    for (size_t at = 0; at < out.bytes.size(); at += info.block_bytes) {
      for (const size_t field : c.half_fields)
        Put(out, at + field, quant::FloatToHalf(scale(random_)));
      if (c.type == TensorType::kBf16) Put(out, at, quant::FloatToBf16(scale(random_)));
      if (c.type == TensorType::kF32) Put(out, at, scale(random_));
      if (c.type == TensorType::kMxfp4) Put(out, at, static_cast<uint8_t>(110 + random_() % 16));
    }
    out.values.resize(n * k);
    info.dequantize(out.bytes.data(), out.values.data(), n * k);
    out.matrix = {c.type, out.bytes, n, k};
    return out;
  }
  template <typename T>
  static void Put(Stored& stored, size_t at, T value) {
    std::memcpy(stored.bytes.data() + at, &value, sizeof value);
  }

  std::vector<float> ExactActivations(size_t m, size_t k) {
    std::vector<float> x(m * k);
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<float>(static_cast<int>(random_() % 255) - 127);
      if (i % 32 == random_() % 32 || i % 32 == 31) x[i] = i % 64 < 32 ? 127.0f : -127.0f;
    }
    return x;
  }

  std::vector<float> Multiply(const PackedMatrix& w, const std::vector<float>& x, size_t m,
                              const float* bias = nullptr, float before = 0, bool add = false) {
    Operand operand;
    operand.Reserve(m, w.k(), w.form() == Form::kF32 || w.form() == Form::kF16);
    operand.Shape(w);
    for (size_t row = 0; row < m; ++row) {  // in two pieces, as a fused step stores them
      const size_t cut = w.k() > 64 ? 64 : 0;
      const float* values = x.data() + row * w.k();
      if (cut > 0) operand.Store(*table_, row, 0, {values, cut});
      operand.Store(*table_, row, cut, {values + cut, w.k() - cut});
    }
    const size_t ldy = w.n() + 5;
    std::vector<float> y(m * ldy, before);
    const size_t cut = w.n() > 64 ? 64 : 0;
    for (const auto& [col, n] : {std::pair{size_t{0}, cut}, std::pair{cut, w.n() - cut}}) {
      if (n == 0) continue;
      Product{
          .x = operand, .w = w, .bias = bias, .y = y.data() + col, .ldy = ldy, .accumulate = add}
          .Run(*table_, 0, m, col, n);
    }
    std::vector<float> out;
    for (size_t row = 0; row < m; ++row) {
      for (size_t i = w.n(); i < ldy; ++i) EXPECT_EQ(y[row * ldy + i], before);
      out.insert(out.end(), y.begin() + static_cast<ptrdiff_t>(row * ldy),
                 y.begin() + static_cast<ptrdiff_t>(row * ldy + w.n()));
    }
    return out;
  }

  void Check(const std::vector<float>& y, const std::vector<float>& x, const Stored& w, size_t m,
             double rounding, const float* bias = nullptr, float before = 0) {
    const auto [n, k] = std::pair{w.matrix.n, w.matrix.k};
    for (size_t row = 0; row < m; ++row) {
      for (size_t col = 0; col < n; ++col) {
        double want = (bias != nullptr ? double{bias[col]} : 0.0) + double{before};
        double size = std::abs(want);
        double allowed = 0;
        for (size_t i = 0; i < k; i += 32) {
          double largest = 0;
          double total = 0;
          for (size_t j = i; j < i + 32; ++j) {
            const double term = double{x[row * k + j]} * double{w.values[col * k + j]};
            want += term;
            // An affine weight is the difference of parts up to 3 times its block's span apart.
            largest = std::max(largest, std::abs(double{w.values[col * k + j]}));
            total += std::abs(double{x[row * k + j]});
          }
          size += total * largest;
          allowed += total * largest * rounding;
        }
        // Two roundings of a part and one of the sum per block and half, 127 exact in bf16.
        allowed += 4 * kEps * static_cast<double>(k / 16 + 4) * size;
        ASSERT_NEAR(y[row * n + col], want, allowed) << row << "," << col;
      }
    }
  }

  const kernels::KernelTable* table_ = nullptr;
  std::mt19937 random_{5};
};

TEST_P(DecoderProducts, EveryTypeAgreesWithItsDequantisedValues) {
  for (const TypeCase& c : Types()) {
    for (const size_t n : {1u, 31u, 33u, 150u}) {
      for (const size_t k : {256u, 1280u}) {
        const Stored w = RandomBlocks(c, n, k);
        const auto packed = PackedMatrix::Pack({&w.matrix, 1}, DecoderFormOf(c.type));
        for (const size_t m : {1u, 2u, 3u, 4u, 6u, 7u, 13u}) {
          SCOPED_TRACE(std::string(quant::InfoOf(c.type).name) + " " + std::to_string(m) + "x" +
                       std::to_string(n) + "x" + std::to_string(k));
          const auto x = ExactActivations(m, k);
          Check(Multiply(packed, x, m), x, w, m, c.rounding);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// 32-value blocks do not need k to be a multiple of 256, nor floats of 2.
TEST_P(DecoderProducts, ShortDepths) {
  for (const TypeCase& c : Types()) {
    if (quant::InfoOf(c.type).block_values > 32) continue;
    for (const size_t k : {32u, 96u, 544u}) {
      const Stored w = RandomBlocks(c, 37, k);
      const auto packed = PackedMatrix::Pack({&w.matrix, 1}, DecoderFormOf(c.type));
      const auto x = ExactActivations(4, k);
      SCOPED_TRACE(quant::InfoOf(c.type).name);
      Check(Multiply(packed, x, 4), x, w, 4, c.rounding);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(DecoderProducts, BiasAndAccumulate) {
  for (const TypeCase& c : Types()) {
    const Stored w = RandomBlocks(c, 45, 512);
    const auto packed = PackedMatrix::Pack({&w.matrix, 1}, DecoderFormOf(c.type));
    std::vector<float> bias(45);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i) - 20.5f;
    SCOPED_TRACE(quant::InfoOf(c.type).name);
    for (const size_t m : {2u, 8u}) {
      const auto x = ExactActivations(m, 512);
      Check(Multiply(packed, x, m, bias.data(), 3.25f, false), x, w, m, c.rounding, bias.data());
      Check(Multiply(packed, x, m, bias.data(), 3.25f, true), x, w, m, c.rounding, bias.data(),
            3.25f);
      if (HasFatalFailure()) return;
    }
  }
}

// Speculation and prefix reuse rely on it: one row or many, the same bits.
TEST_P(DecoderProducts, ARowDoesNotDependOnItsNeighbours) {
  constexpr size_t kRows = 13, kColumns = 150, kDepth = 1280;
  for (const TypeCase& c : Types()) {
    const Stored w = RandomBlocks(c, kColumns, kDepth);
    const auto packed = PackedMatrix::Pack({&w.matrix, 1}, DecoderFormOf(c.type));
    std::vector<float> x(kRows * kDepth);
    std::normal_distribution<float> value;
    for (float& v : x) v = value(random_);
    const auto together = Multiply(packed, x, kRows);
    for (const size_t count : {1u, 2u, 3u, 4u, 5u}) {
      const std::vector<float> few(x.begin(), x.begin() + static_cast<ptrdiff_t>(count * kDepth));
      const auto y = Multiply(packed, few, count);
      EXPECT_EQ(std::memcmp(y.data(), together.data(), y.size() * sizeof(float)), 0)
          << quant::InfoOf(c.type).name << ", " << count << " rows";
    }
  }
}

// The largest codes with the largest activations, both signs: no sum leaves its integer.
TEST_P(DecoderProducts, ExtremeCodes) {
  for (const TypeCase& c : Types()) {
    if (DecoderFormOf(c.type) != Form::kI8) continue;
    for (const unsigned fill : {0x00u, 0xFFu, 0x80u, 0x7Fu}) {
      Stored w = RandomBlocks(c, 33, 512);
      const auto& info = quant::InfoOf(c.type);
      std::fill(w.bytes.begin(), w.bytes.end(), static_cast<std::byte>(fill));
      for (size_t at = 0; at < w.bytes.size(); at += info.block_bytes) {
        for (const size_t field : c.half_fields) Put(w, at + field, quant::FloatToHalf(0.5f));
        if (c.type == TensorType::kMxfp4) Put(w, at, uint8_t{120});
      }
      info.dequantize(w.bytes.data(), w.values.data(), w.values.size());
      const auto packed = PackedMatrix::Pack({&w.matrix, 1}, DecoderFormOf(c.type));
      for (const float sign : {1.0f, -1.0f}) {
        const std::vector<float> x(7 * 512, 127.0f * sign);
        SCOPED_TRACE(std::string(info.name) + " " + std::to_string(fill));
        Check(Multiply(packed, x, 7), x, w, 7, c.rounding);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Real activations: 8 bits of the largest of 32. rms of the error is a step / sqrt(12).
TEST_P(DecoderProducts, RealActivations) {
  const size_t k = 2048;
  for (const TypeCase& c : Types()) {
    const Stored w = RandomBlocks(c, 40, k);
    const auto packed = PackedMatrix::Pack({&w.matrix, 1}, DecoderFormOf(c.type));
    std::vector<float> x(2 * k);
    std::normal_distribution<float> value;
    for (float& v : x) v = value(random_);
    const auto y = Multiply(packed, x, 2);
    for (size_t i = 0; i < y.size(); ++i) {
      double want = 0;
      double xx = 0;
      double ww = 0;
      for (size_t j = 0; j < k; ++j) {
        const double a = x[i / 40 * k + j];
        const double b = w.values[i % 40 * k + j];
        want += a * b;
        xx += a * a;
        ww += b * b;
      }
      // Largest of 32 normal values: 2.1 on average, so rms 2.1 / 127 / sqrt(12) = 0.0048 of a
      // weight's norm; six times that, plus the rounding of wide types.
      const double norm = std::sqrt(ww);
      ASSERT_NEAR(y[i], want, 6 * 0.0048 * norm + 4 * c.rounding * std::sqrt(xx * ww / 32))
          << quant::InfoOf(c.type).name;
    }
  }
}

// faults.md 16: a broken weight or activation makes its outputs non-finite, not wrong.
TEST_P(DecoderProducts, NonFiniteValuesReachTheOutput) {
  for (const TypeCase& c : Types()) {
    SCOPED_TRACE(quant::InfoOf(c.type).name);
    const Stored w = RandomBlocks(c, 33, 256);
    const auto packed = PackedMatrix::Pack({&w.matrix, 1}, DecoderFormOf(c.type));
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (const size_t at : {0u, 100u, 255u}) {
        auto x = ExactActivations(3, 256);
        x[256 + at] = bad;
        const auto y = Multiply(packed, x, 3);
        for (size_t col = 0; col < 33; ++col) {
          EXPECT_TRUE(std::isfinite(y[col]));
          // 0 * infinity aside, which floats keep.
          EXPECT_TRUE(!std::isfinite(y[33 + col]) || w.values[col * 256 + at] == 0.0f);
          EXPECT_TRUE(std::isfinite(y[66 + col]));
        }
      }
    }
    Stored broken = w;
    const auto& info = quant::InfoOf(c.type);
    const size_t row_bytes = broken.bytes.size() / 33;
    if (c.half_fields.empty()) continue;
    for (size_t at = 0; at < row_bytes; at += info.block_bytes) {
      Put(broken, 5 * row_bytes + at + c.half_fields[0], uint16_t{0x7E00});  // NaN
    }
    broken.matrix.data = broken.bytes;
    const auto y = Multiply(PackedMatrix::Pack({&broken.matrix, 1}, DecoderFormOf(c.type)),
                            ExactActivations(1, 256), 1);
    for (size_t col = 0; col < 33; ++col) EXPECT_EQ(std::isfinite(y[col]), col != 5) << col;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DecoderProducts,
                         ::testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& test) { return std::string(IsaName(test.param)); });

}  // namespace
}  // namespace vade::tensor
