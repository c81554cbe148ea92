// The kernels only decoders use, of every instruction set the host has, against double arithmetic:
// lengths around the vector width, unaligned pointers, guarded memory, NaN and infinity.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "engine/kernels/half_bits.h"
#include "engine/kernels/kernels.h"

namespace vade::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr double kEps = 1.2e-7;  // of f32
constexpr float kGuard = -12345.5f;

const std::vector<size_t> kLengths = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 384};

class DecoderOps : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam())) GTEST_SKIP() << "not on this CPU";
    table_ = &KernelsFor(GetParam());
  }

  // n values behind one that must survive, and followed by more of those.
  std::vector<float> Guarded(size_t n, float low = -2, float high = 2) {
    std::uniform_real_distribution<float> value(low, high);
    std::vector<float> x(n + 41, kGuard);
    for (size_t i = 0; i < n; ++i) x[i + 1] = value(random_);
    return x;
  }
  static void ExpectGuarded(const std::vector<float>& x) {
    EXPECT_EQ(x[0], kGuard);
    for (size_t i = x.size() - 40; i < x.size(); ++i) EXPECT_EQ(x[i], kGuard);
  }

  const KernelTable* table_ = nullptr;
  std::mt19937 random_{11};
};

TEST_P(DecoderOps, RmsNorm) {
  for (const size_t n : kLengths) {
    for (const bool with_weight : {true, false}) {
      auto x = Guarded(n);
      const auto before = x;
      const auto weight = Guarded(n);
      table_->rms_norm(x.data() + 1, with_weight ? weight.data() + 1 : nullptr, 1e-5f, n,
                       x.data() + 1);
      double squares = 0;
      for (size_t i = 1; i <= n; ++i) squares += double{before[i]} * before[i];
      const double norm = std::sqrt(squares / static_cast<double>(n) + 1e-5);
      for (size_t i = 1; i <= n; ++i) {
        const double want = before[i] / norm * (with_weight ? double{weight[i]} : 1.0);
        // n roundings of a sum of squares, halved by the root, and four more.
        EXPECT_NEAR(x[i], want, kEps * (static_cast<double>(n) / 2 + 4) * std::abs(want)) << n;
      }
      ExpectGuarded(x);
    }
  }
}

TEST_P(DecoderOps, Rope) {
  for (const size_t half : {1u, 3u, 4u, 8u, 16u, 20u, 32u, 48u, 64u}) {
    for (const size_t beyond : {0u, 6u}) {  // partial rotation leaves the rest alone
      const size_t num_heads = 3;
      const size_t head_dim = 2 * half + beyond;
      std::vector<float> cosines, sines;
      for (size_t i = 0; i < half; ++i) {
        cosines.push_back(std::cos(static_cast<float>(i) + 0.3f));
        sines.push_back(std::sin(static_cast<float>(i) + 0.3f));
      }
      for (const bool neox : {false, true}) {
        auto x = Guarded(num_heads * head_dim);
        const auto before = x;
        const auto rope = neox ? table_->rope_neox : table_->rope_normal;
        rope(x.data() + 1, num_heads, head_dim, cosines.data(), sines.data(), half);
        auto want = before;
        for (size_t head = 0; head < num_heads; ++head) {
          for (size_t i = 0; i < half; ++i) {
            const size_t at = 1 + head * head_dim;
            const size_t a = at + (neox ? i : 2 * i);
            const size_t b = at + (neox ? i + half : 2 * i + 1);
            want[a] = before[a] * cosines[i] - before[b] * sines[i];
            want[b] = before[a] * sines[i] + before[b] * cosines[i];
          }
        }
        // Values up to 2: two products and a sum, each rounded.
        for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], want[i], 6 * kEps) << half;
        ExpectGuarded(x);
      }
    }
  }
}

TEST_P(DecoderOps, GatedActivations) {
  for (const size_t n : kLengths) {
    const auto gate = Guarded(n, -9, 9);
    const auto before = Guarded(n);
    auto silu = before;
    auto gelu = before;
    table_->silu_multiply(gate.data() + 1, n, silu.data() + 1);
    table_->gelu_tanh_multiply(gate.data() + 1, n, gelu.data() + 1);
    for (size_t i = 1; i <= n; ++i) {
      const double g = gate[i];
      const double cube = g + 0.044715 * g * g * g;
      EXPECT_NEAR(silu[i], before[i] * g / (1 + std::exp(-g)), 2e-7 + 2e-6 * std::abs(g));
      EXPECT_NEAR(gelu[i], before[i] * 0.5 * g * (1 + std::tanh(std::sqrt(2 / M_PI) * cube)),
                  2e-6 + 2e-6 * std::abs(g));
    }
    ExpectGuarded(silu);
    ExpectGuarded(gelu);
  }
}

TEST_P(DecoderOps, SoftCap) {
  for (const size_t n : kLengths) {
    for (const float cap : {1.0f, 30.0f, 50.0f}) {
      auto x = Guarded(n, -4 * cap, 4 * cap);
      const auto before = x;
      table_->soft_cap(x.data() + 1, n, 0.5f, cap);
      for (size_t i = 1; i <= n; ++i) {
        EXPECT_NEAR(x[i], cap * std::tanh(0.5 * before[i] / cap), 1e-6 * cap);
      }
      ExpectGuarded(x);
    }
  }
  std::vector<float> far = {1e30f, -1e30f, kInf, -kInf, kNan};
  table_->soft_cap(far.data(), far.size(), 1.0f, 30.0f);
  EXPECT_EQ(far[0], 30.0f);
  EXPECT_EQ(far[1], -30.0f);
  EXPECT_EQ(far[2], 30.0f);
  EXPECT_EQ(far[3], -30.0f);
  EXPECT_TRUE(std::isnan(far[4]));
}

// Every half precision value survives the way to f32 and back.
TEST_P(DecoderOps, HalfPrecisionRoundTrip) {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  std::vector<float> wide(all.size());
  table_->f16_to_f32(all.data(), all.size(), wide.data());
  std::vector<uint16_t> back(all.size());
  table_->f32_to_f16(wide.data(), wide.size(), back.data());
  for (size_t i = 0; i < all.size(); ++i) {
    const bool nan = (i & 0x7FFF) > 0x7C00;
    ASSERT_EQ(std::isnan(wide[i]), nan) << i;
    if (nan) {
      ASSERT_GT(back[i] & 0x7FFF, 0x7C00) << i;
    } else {
      ASSERT_EQ(wide[i], F32FromF16(all[i])) << i;
      ASSERT_EQ(back[i], all[i]);
    }
  }
}

TEST_P(DecoderOps, HalfPrecisionRoundsToNearestEvenAndStaysInside) {
  for (const size_t n : kLengths) {
    auto x = Guarded(n, -70000, 70000);
    for (size_t i = 1; i <= n; i += 3) x[i] *= 1e-10f;  // subnormal and nothing
    std::vector<uint16_t> y(n + 20, 0x1234);
    table_->f32_to_f16(x.data() + 1, n, y.data() + 1);
    EXPECT_EQ(y[0], 0x1234);
    for (size_t i = n + 1; i < y.size(); ++i) EXPECT_EQ(y[i], 0x1234);
    for (size_t i = 1; i <= n; ++i) EXPECT_EQ(y[i], F16FromF32(x[i])) << x[i];
    std::vector<float> wide(n + 41, kGuard);
    table_->f16_to_f32(y.data() + 1, n, wide.data() + 1);
    ExpectGuarded(wide);
  }
}

// faults.md 16: what is not a number stays visible.
TEST_P(DecoderOps, NonFiniteInputReachesTheOutput) {
  for (const size_t n : {1u, 16u, 37u}) {
    for (size_t at = 0; at < n; ++at) {
      std::vector<float> x(n, 0.5f);
      x[at] = kNan;
      std::vector<float> y(n);
      table_->rms_norm(x.data(), nullptr, 1e-5f, n, y.data());
      for (const float v : y) EXPECT_TRUE(std::isnan(v));
      std::vector<float> up(n, 1.0f);
      table_->silu_multiply(x.data(), n, up.data());
      EXPECT_TRUE(std::isnan(up[at]));
      up.assign(n, 1.0f);
      table_->gelu_tanh_multiply(x.data(), n, up.data());
      EXPECT_TRUE(std::isnan(up[at]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, DecoderOps, ::testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& test) { return std::string(IsaName(test.param)); });

}  // namespace
}  // namespace vade::kernels
