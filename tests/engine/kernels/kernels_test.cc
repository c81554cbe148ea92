// Every kernel of every instruction set the host has, against double arithmetic: lengths around
// the vector width, unaligned pointers, guarded memory behind the end, extreme and non-finite
// input.
#include "engine/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace vade::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kGuard = -12345.5f;  // must survive where a kernel has nothing to write
constexpr double kEps = 1.2e-7;      // of f32

const std::vector<size_t> kLengths = {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 384};

// n values behind an odd offset, followed by a guard.
struct Guarded {
  explicit Guarded(size_t n) : n_(n), values(n + kOffset + kTail, kGuard) {}
  float* data() { return values.data() + kOffset; }
  void ExpectIntact() const {
    EXPECT_EQ(values[0], kGuard);
    for (size_t i = 0; i < kTail; ++i) EXPECT_EQ(values[kOffset + n_ + i], kGuard) << i;
  }

  static constexpr size_t kOffset = 1;
  static constexpr size_t kTail = 40;
  size_t n_;
  std::vector<float> values;
};

class Kernels : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam())) GTEST_SKIP() << "not on this CPU";
    table_ = &KernelsFor(GetParam());
  }

  void Fill(float* x, size_t n, float low = -2, float high = 2) {
    std::uniform_real_distribution<float> value(low, high);
    for (size_t i = 0; i < n; ++i) x[i] = value(random_);
  }
  std::vector<float> Random(size_t n) {
    std::vector<float> x(n);
    Fill(x.data(), n);
    return x;
  }

  // Runs op on guarded values of every length, compares with want(x) within tolerance(|want|).
  template <typename Op, typename Want>
  void CheckElementwise(const Op& op, const Want& want, double absolute, double relative) {
    for (const size_t n : kLengths) {
      Guarded x(n);
      Fill(x.data(), n, -9, 9);
      const std::vector<float> before(x.data(), x.data() + n);
      op(x.data(), n);
      for (size_t i = 0; i < n; ++i) {
        const double expected = want(double{before[i]});
        EXPECT_NEAR(x.data()[i], expected, absolute + relative * std::abs(expected)) << before[i];
      }
      x.ExpectIntact();
    }
  }

  const KernelTable* table_ = nullptr;
  std::mt19937 random_{7};
};

size_t Panels(size_t n) { return (n + kPanelWidth - 1) / kPanelWidth; }

TEST_P(Kernels, GemmF32) {
  for (const size_t m : {1u, 2u, 5u, 6u, 7u, 12u, 13u, 25u}) {
    for (const size_t n : {1u, 7u, 8u, 15u, 16u, 17u, 31u, 32u, 33u, 70u}) {
      for (const size_t k : {1u, 2u, 33u, 100u}) {
        SCOPED_TRACE(std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k));
        const size_t lda = k + 3;
        const size_t ldc = n + 5;
        const auto a = Random(m * lda);
        const auto w = Random(n * k);
        const auto bias = Random(n);
        std::vector<float> panels(Panels(n) * kPanelWidth * k);
        for (size_t col = 0; col < n; ++col) {
          for (size_t i = 0; i < k; ++i) {
            panels[(col / kPanelWidth * k + i) * kPanelWidth + col % kPanelWidth] = w[col * k + i];
          }
        }
        for (const bool accumulate : {false, true}) {
          Guarded c(m * ldc);
          Fill(c.data(), m * ldc);
          const std::vector<float> before(c.data(), c.data() + m * ldc);
          table_->gemm_f32({.a = a.data(),
                            .lda = lda,
                            .m = m,
                            .k = k,
                            .panels = panels.data(),
                            .bias = accumulate ? bias.data() : nullptr,
                            .c = c.data(),
                            .ldc = ldc,
                            .n = n,
                            .accumulate = accumulate});
          c.ExpectIntact();
          for (size_t row = 0; row < m; ++row) {
            for (size_t col = 0; col < ldc; ++col) {
              const size_t at = row * ldc + col;
              if (col >= n) {
                ASSERT_EQ(c.data()[at], before[at]);  // between the rows
                continue;
              }
              double sum = accumulate ? double{bias[col]} + double{before[at]} : 0.0;
              double size = accumulate ? std::abs(bias[col]) + std::abs(before[at]) : 0.0;
              for (size_t i = 0; i < k; ++i) {
                const double term = double{a[row * lda + i]} * double{w[col * k + i]};
                sum += term;
                size += std::abs(term);
              }
              // k + 2 roundings, each of at most eps / 2 of the sum of magnitudes so far.
              ASSERT_NEAR(c.data()[at], sum, kEps * static_cast<double>(k + 2) * size);
            }
          }
        }
      }
    }
  }
}

struct IntegerProblem {
  size_t m, n, k, group;
  std::vector<int16_t> a, w;  // [m, k], [n, k]
  std::vector<float> a_scale, a_offset, w_scale_of, bias;
};

// Runs gemm_i16 on a problem and compares with exact arithmetic.
void CheckInteger(const KernelTable& table, const IntegerProblem& p, bool accumulate) {
  const size_t groups = p.k / p.group;
  std::vector<int16_t> panels(Panels(p.n) * kPanelWidth * p.k);
  std::vector<float> w_scale(Panels(p.n) * kPanelWidth * groups);
  std::vector<float> w_sum(w_scale.size());
  for (size_t col = 0; col < p.n; ++col) {
    const size_t panel = col / kPanelWidth;
    const size_t lane = col % kPanelWidth;
    for (size_t i = 0; i < p.k; ++i) {
      const size_t at = (panel * p.k / kPair + i / kPair) * kPanelWidth + lane;
      panels[at * kPair + i % kPair] = p.w[col * p.k + i];
    }
    for (size_t g = 0; g < groups; ++g) {
      int32_t sum = 0;
      for (size_t i = 0; i < p.group; ++i) sum += p.w[col * p.k + g * p.group + i];
      const size_t at = (panel * groups + g) * kPanelWidth + lane;
      w_scale[at] = p.w_scale_of[col * groups + g];
      w_sum[at] = w_scale[at] * static_cast<float>(sum);
    }
  }
  Guarded c(p.m * p.n);
  for (size_t i = 0; i < p.m * p.n; ++i) c.data()[i] = static_cast<float>(i % 11);
  table.gemm_i16({.a = p.a.data(),
                  .lda = p.k,
                  .a_scale = p.a_scale.data(),
                  .a_offset = p.a_offset.data(),
                  .m = p.m,
                  .k = p.k,
                  .group = p.group,
                  .panels = panels.data(),
                  .w_scale = w_scale.data(),
                  .w_sum = w_sum.data(),
                  .bias = p.bias.empty() ? nullptr : p.bias.data(),
                  .c = c.data(),
                  .ldc = p.n,
                  .n = p.n,
                  .accumulate = accumulate});
  c.ExpectIntact();
  for (size_t row = 0; row < p.m; ++row) {
    for (size_t col = 0; col < p.n; ++col) {
      double want = p.bias.empty() ? 0.0 : double{p.bias[col]};
      want += accumulate ? static_cast<double>((row * p.n + col) % 11) : 0.0;
      double size = std::abs(want);
      for (size_t g = 0; g < groups; ++g) {
        int64_t sum = 0;
        int64_t weights = 0;
        for (size_t i = g * p.group; i < (g + 1) * p.group; ++i) {
          sum += int64_t{p.a[row * p.k + i]} * p.w[col * p.k + i];
          weights += p.w[col * p.k + i];
        }
        const double scale = p.w_scale_of[col * groups + g];
        const double products = static_cast<double>(sum) * p.a_scale[row * groups + g] * scale;
        const double shift = static_cast<double>(weights) * p.a_offset[row * groups + g] * scale;
        want += products + shift;
        size += std::abs(products) + std::abs(shift);
      }
      ASSERT_NEAR(c.data()[row * p.n + col], want, 8 * kEps * size) << row << "," << col;
    }
  }
}

TEST_P(Kernels, GemmI16) {
  std::uniform_int_distribution<int> activation(-kMaxActivation, kMaxActivation);
  std::uniform_int_distribution<int> weight(-kMaxWeight, kMaxWeight);
  for (const size_t m : {1u, 2u, 6u, 7u, 12u, 13u, 25u}) {
    for (const size_t n : {1u, 15u, 16u, 17u, 32u, 33u, 70u}) {
      for (const size_t groups : {1u, 3u}) {
        IntegerProblem p{.m = m, .n = n, .k = 96 * groups, .group = 96};
        for (size_t i = 0; i < m * p.k; ++i)
          p.a.push_back(static_cast<int16_t>(activation(random_)));
        for (size_t i = 0; i < n * p.k; ++i) p.w.push_back(static_cast<int16_t>(weight(random_)));
        p.a_scale = Random(m * groups);
        p.a_offset = Random(m * groups);
        p.w_scale_of = Random(n * groups);
        CheckInteger(*table_, p, false);
        p.bias = Random(n);
        CheckInteger(*table_, p, true);
      }
    }
  }
}

// The largest values of the widest group do not overflow an int32.
TEST_P(Kernels, GemmI16AtItsLimits) {
  for (const int sign : {1, -1}) {
    IntegerProblem p{.m = 13, .n = 33, .k = kMaxGroup, .group = kMaxGroup};
    p.a.assign(p.m * p.k, static_cast<int16_t>(kMaxActivation));
    p.w.assign(p.n * p.k, static_cast<int16_t>(sign * kMaxWeight));
    p.a_scale.assign(p.m, 1.0f);
    p.a_offset.assign(p.m, 0.0f);
    p.w_scale_of.assign(p.n, 1.0f);
    CheckInteger(*table_, p, false);
  }
}

TEST_P(Kernels, QuantizeI16) {
  for (const size_t n : kLengths) {
    if (n == 0) continue;
    for (const float size : {1e-20f, 1.0f, 1.5e38f}) {
      const auto x = [&] {
        std::vector<float> v(n + 1);
        Fill(v.data(), n + 1, -size, size);
        return v;
      }();
      std::vector<int16_t> q(n + 20, 999);
      float scale = 0;
      float offset = 0;
      table_->quantize_i16(x.data() + 1, n, q.data() + 1, &scale, &offset);
      EXPECT_EQ(q[0], 999);
      for (size_t i = n + 1; i < q.size(); ++i) EXPECT_EQ(q[i], 999);
      for (size_t i = 0; i < n; ++i) {
        EXPECT_LE(std::abs(q[i + 1]), kMaxActivation);
        const double back = double{scale} * q[i + 1] + double{offset};
        EXPECT_NEAR(back, x[i + 1], 0.501 * double{scale} + 4 * kEps * double{size}) << n;
      }
    }
  }
}

TEST_P(Kernels, QuantizeI16OfEqualAndNonFiniteValues) {
  for (const size_t n : {1u, 16u, 37u}) {
    std::vector<int16_t> q(n);
    float scale = 7;
    float offset = 0;
    std::vector<float> x(n, 3.25f);
    table_->quantize_i16(x.data(), n, q.data(), &scale, &offset);
    EXPECT_EQ(scale, 0.0f);
    EXPECT_FLOAT_EQ(offset, 3.25f);
    for (const float bad : {kNan, kInf, -kInf}) {
      for (size_t at = 0; at < n; ++at) {
        Fill(x.data(), n);
        x[at] = bad;
        table_->quantize_i16(x.data(), n, q.data(), &scale, &offset);
        EXPECT_FALSE(std::isfinite(offset)) << n << " " << at << " " << bad;
      }
    }
  }
}

TEST_P(Kernels, LayerNorm) {
  for (const size_t n : kLengths) {
    if (n == 0) continue;
    for (const bool with_bias : {true, false}) {
      Guarded x(n);
      Fill(x.data(), n, 3, 5);
      const std::vector<float> before(x.data(), x.data() + n);
      const auto weight = Random(n);
      const auto bias = Random(n);
      table_->layer_norm(x.data(), weight.data(), with_bias ? bias.data() : nullptr, 1e-5f, n,
                         x.data());
      double mean = 0;
      for (const float v : before) mean += double{v} / static_cast<double>(n);
      double variance = 0;
      for (const float v : before) variance += (v - mean) * (v - mean) / static_cast<double>(n);
      for (size_t i = 0; i < n; ++i) {
        const double want = (before[i] - mean) / std::sqrt(variance + 1e-5) * weight[i] +
                            (with_bias ? double{bias[i]} : 0.0);
        // The mean is off by up to n eps of 5; dividing by the spread magnifies that.
        const double spread = std::sqrt(variance + 1e-5);
        EXPECT_NEAR(x.data()[i], want, 1e-5 + 40 * kEps / spread) << n;
      }
      x.ExpectIntact();
    }
  }
}

TEST_P(Kernels, Gelu) {
  const auto erf_form = [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); };
  CheckElementwise(table_->gelu_erf, erf_form, 6e-7, 3e-7);
  const auto tanh_form = [](double x) {
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  };
  CheckElementwise(table_->gelu_tanh, tanh_form, 1e-6, 1e-6);
  CheckElementwise(
      table_->silu, [](double x) { return x / (1 + std::exp(-x)); }, 1e-7, 1e-6);
}

// The whole range of the erf form, far tails included.
TEST_P(Kernels, GeluErfEverywhere) {
  std::vector<float> x;
  for (int i = -12000; i <= 12000; ++i) x.push_back(static_cast<float>(i) / 1000.0f);
  for (const float far : {-1e30f, -100.0f, 100.0f, 1e30f}) x.push_back(far);
  auto y = x;
  table_->gelu_erf(y.data(), y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = 0.5 * double{x[i]} * std::erfc(-double{x[i]} / std::sqrt(2.0));
    ASSERT_NEAR(y[i], want, 6e-7 + 3e-7 * std::abs(want)) << x[i];
  }
}

TEST_P(Kernels, Softmax) {
  for (const size_t n : kLengths) {
    for (const float range : {0.0f, 5.0f, 500.0f}) {
      Guarded x(n);
      Fill(x.data(), n, -range, range);
      const std::vector<float> before(x.data(), x.data() + n);
      table_->softmax(x.data(), n, 0.25f);
      x.ExpectIntact();
      double high = -1e30;
      for (const float v : before) high = std::max(high, double{v});
      double total = 0;
      for (const float v : before) total += std::exp(0.25 * (v - high));
      for (size_t i = 0; i < n; ++i) {
        const double want = std::exp(0.25 * (before[i] - high)) / total;
        EXPECT_NEAR(x.data()[i], want, 1e-30 + 4e-6 * want + 1e-7 * range * want) << n;
      }
    }
  }
}

TEST_P(Kernels, AddAndMultiply) {
  for (const size_t n : kLengths) {
    const auto x = Random(n);
    Guarded sum(n);
    Guarded product(n);
    Fill(sum.data(), n);
    std::copy_n(sum.data(), n, product.data());
    const std::vector<float> before(sum.data(), sum.data() + n);
    table_->add(x.data(), n, sum.data());
    table_->multiply(x.data(), n, product.data());
    for (size_t i = 0; i < n; ++i) {
      EXPECT_EQ(sum.data()[i], before[i] + x[i]);
      EXPECT_EQ(product.data()[i], before[i] * x[i]);
    }
    sum.ExpectIntact();
    product.ExpectIntact();
  }
}

// faults.md 16: what is not a number stays visible.
TEST_P(Kernels, NonFiniteInputReachesTheOutput) {
  for (const size_t n : {1u, 5u, 16u, 40u}) {
    for (size_t at = 0; at < n; ++at) {
      const std::vector<float> ones(n, 1.0f);
      auto x = Random(n);
      x[at] = kNan;
      auto y = x;
      table_->softmax(y.data(), n, 1.0f);
      EXPECT_TRUE(std::isnan(y[at]));
      y = x;
      table_->layer_norm(y.data(), ones.data(), nullptr, 1e-5f, n, y.data());
      for (const float v : y) EXPECT_TRUE(std::isnan(v));
      for (const auto op : {table_->gelu_erf, table_->gelu_tanh, table_->silu}) {
        y = x;
        op(y.data(), n);
        EXPECT_TRUE(std::isnan(y[at]));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Kernels, ::testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& test) { return std::string(IsaName(test.param)); });

TEST(KernelsFor, EachInstructionSetHasItsOwnTable) {
  EXPECT_NE(&KernelsFor(Isa::kScalar), &KernelsFor(Isa::kAvx2));
  EXPECT_NE(&KernelsFor(Isa::kAvx2), &KernelsFor(Isa::kAvx512));
  EXPECT_EQ(&ActiveKernels(), &KernelsFor(ActiveIsa()));
}

}  // namespace
}  // namespace vade::kernels
