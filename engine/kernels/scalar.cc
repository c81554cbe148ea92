// The scalar kernels: plain C++, the specification of the vector ones and the fallback of every
// CPU. Readable before fast.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "engine/kernels/half_bits.h"
#include "engine/kernels/tables.h"

namespace vade::kernels {
namespace {

void GemmFloat(const GemmF32& op) noexcept {
  for (size_t row = 0; row < op.m; ++row) {
    for (size_t first = 0; first < op.n; first += kPanelWidth) {
      const float* panel = op.panels + first * op.k;  // [k, 32]
      const size_t width = std::min(kPanelWidth, op.n - first);
      float sum[kPanelWidth] = {};
      for (size_t i = 0; i < op.k; ++i) {
        const float a = op.a[row * op.lda + i];
        for (size_t col = 0; col < kPanelWidth; ++col) sum[col] += a * panel[i * kPanelWidth + col];
      }
      float* c = op.c + row * op.ldc + first;
      for (size_t col = 0; col < width; ++col) {
        const float bias = op.bias != nullptr ? op.bias[first + col] : 0.0f;
        c[col] = sum[col] + bias + (op.accumulate ? c[col] : 0.0f);
      }
    }
  }
}

// Exact integer sums of one row with one panel over one group.
void DotGroup(const int16_t* a, const int16_t* panel, size_t group, int32_t* sum) noexcept {
  std::fill_n(sum, kPanelWidth, 0);
  for (size_t i = 0; i < group; i += kPair) {
    const int16_t* w = panel + i * kPanelWidth;
    for (size_t col = 0; col < kPanelWidth; ++col) {
      sum[col] += int32_t{a[i]} * w[col * kPair] + int32_t{a[i + 1]} * w[col * kPair + 1];
    }
  }
}

void GemmInteger(const GemmI16& op) noexcept {
  const size_t num_groups = op.k / op.group;
  for (size_t row = 0; row < op.m; ++row) {
    for (size_t first = 0; first < op.n; first += kPanelWidth) {
      const size_t width = std::min(kPanelWidth, op.n - first);
      float* c = op.c + row * op.ldc + first;
      float total[kPanelWidth];
      for (size_t col = 0; col < width; ++col) {
        total[col] =
            (op.bias != nullptr ? op.bias[first + col] : 0.0f) + (op.accumulate ? c[col] : 0.0f);
      }
      for (size_t g = 0; g < num_groups; ++g) {
        int32_t sum[kPanelWidth];
        DotGroup(op.a + row * op.lda + g * op.group,
                 op.panels + first * op.k + g * op.group * kPanelWidth, op.group, sum);
        const size_t at = first * num_groups + g * kPanelWidth;
        const float scale = op.a_scale[row * num_groups + g];
        const float offset = op.a_offset[row * num_groups + g];
        for (size_t col = 0; col < width; ++col) {
          total[col] += static_cast<float>(sum[col]) * (scale * op.w_scale[at + col]) +
                        offset * op.w_sum[at + col];
        }
      }
      std::copy_n(total, width, c);
    }
  }
}

void QuantizeI16(const float* x, size_t n, int16_t* q, float* scale, float* offset) noexcept {
  if (n == 0) return;
  float low = std::numeric_limits<float>::max();
  float high = -low;
  float poison = 0.0f;  // NaN once any x is NaN or infinite
  for (size_t i = 0; i < n; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
    poison += x[i] * 0.0f;
  }
  const float half = high * 0.5f - low * 0.5f;
  const float middle = high * 0.5f + low * 0.5f;
  const bool flat = !(half > kSmallestRange) || poison != 0.0f;
  const float inverse = flat ? 0.0f : static_cast<float>(kMaxActivation) / half;
  *scale = flat ? 0.0f : half / static_cast<float>(kMaxActivation);
  *offset = middle + poison;
  for (size_t i = 0; i < n; ++i) {
    const float level = flat ? 0.0f : std::nearbyint((x[i] - middle) * inverse);
    q[i] = static_cast<int16_t>(level);
  }
}

void LayerNorm(const float* x, const float* weight, const float* bias, float eps, size_t n,
               float* y) noexcept {
  float sum = 0.0f;
  for (size_t i = 0; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);
  float squares = 0.0f;
  for (size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float inverse = 1.0f / std::sqrt(squares / static_cast<float>(n) + eps);
  for (size_t i = 0; i < n; ++i) {
    y[i] = (x[i] - mean) * inverse * weight[i] + (bias != nullptr ? bias[i] : 0.0f);
  }
}

void GeluErf(float* x, size_t n) noexcept {
  for (size_t i = 0; i < n; ++i) {
    x[i] *= 0.5f * std::erfc(-x[i] * (std::numbers::sqrt2_v<float> / 2.0f));
  }
}

float Sigmoid(float x) noexcept { return 1.0f / (1.0f + std::exp(-x)); }

void GeluTanh(float* x, size_t n) noexcept {
  const float kTwoSqrt2OverPi = 2.0f * std::sqrt(2.0f * std::numbers::inv_pi_v<float>);
  for (size_t i = 0; i < n; ++i) {
    x[i] *= Sigmoid(kTwoSqrt2OverPi * (x[i] + 0.044715f * x[i] * x[i] * x[i]));
  }
}

void Silu(float* x, size_t n) noexcept {
  for (size_t i = 0; i < n; ++i) x[i] *= Sigmoid(x[i]);
}

void Softmax(float* x, size_t n, float scale) noexcept {
  float high = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < n; ++i) high = std::max(high, x[i]);
  float sum = 0.0f;
  for (size_t i = 0; i < n; ++i) {
    x[i] = std::exp((x[i] - high) * scale);
    sum += x[i];
  }
  for (size_t i = 0; i < n; ++i) x[i] /= sum;
}

void Add(const float* x, size_t n, float* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] += x[i];
}

void Multiply(const float* x, size_t n, float* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] *= x[i];
}

void RmsNorm(const float* x, const float* weight, float eps, size_t n, float* y) noexcept {
  float squares = 0.0f;
  for (size_t i = 0; i < n; ++i) squares += x[i] * x[i];
  const float inverse = 1.0f / std::sqrt(squares / static_cast<float>(n) + eps);
  for (size_t i = 0; i < n; ++i) y[i] = x[i] * inverse * (weight != nullptr ? weight[i] : 1.0f);
}

// Rotates (x, y) by the angle of the given cosine and sine.
void Turn(float& x, float& y, float cosine, float sine) noexcept {
  const float before = x;
  x = before * cosine - y * sine;
  y = before * sine + y * cosine;
}

void RopeNormal(float* heads, size_t num_heads, size_t head_dim, const float* cosines,
                const float* sines, size_t half) noexcept {
  for (size_t head = 0; head < num_heads; ++head) {
    float* x = heads + head * head_dim;
    for (size_t i = 0; i < half; ++i) Turn(x[2 * i], x[2 * i + 1], cosines[i], sines[i]);
  }
}

void RopeNeox(float* heads, size_t num_heads, size_t head_dim, const float* cosines,
              const float* sines, size_t half) noexcept {
  for (size_t head = 0; head < num_heads; ++head) {
    float* x = heads + head * head_dim;
    for (size_t i = 0; i < half; ++i) Turn(x[i], x[half + i], cosines[i], sines[i]);
  }
}

void SiluMultiply(const float* gate, size_t n, float* up) noexcept {
  for (size_t i = 0; i < n; ++i) up[i] *= gate[i] * Sigmoid(gate[i]);
}

void GeluTanhMultiply(const float* gate, size_t n, float* up) noexcept {
  for (size_t i = 0; i < n; ++i) {
    float x = gate[i];
    GeluTanh(&x, 1);
    up[i] *= x;
  }
}

void SoftCap(float* x, size_t n, float scale, float cap) noexcept {
  for (size_t i = 0; i < n; ++i) x[i] = cap * std::tanh(scale * x[i] / cap);
}

void F32ToF16(const float* x, size_t n, uint16_t* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] = F16FromF32(x[i]);
}

void F16ToF32(const uint16_t* x, size_t n, float* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] = F32FromF16(x[i]);
}

template <class Op, class Term>
void GemmOf(const Op& op, const Term& term) noexcept {
  for (size_t row = 0; row < op.m; ++row) {
    for (size_t col = 0; col < op.n; ++col) {
      float sum = 0.0f;
      for (size_t i = 0; i < op.k; ++i) sum += term(op.a[row * op.lda + i], col, i);
      float& c = op.c[row * op.ldc + col];
      c = sum + (op.bias != nullptr ? op.bias[col] : 0.0f) + (op.accumulate ? c : 0.0f);
    }
  }
}

void GemmHalf(const GemmF16& op) noexcept {
  GemmOf(op, [&](float a, size_t col, size_t i) {
    const size_t panel = col / kPanelWidth * op.k;
    return a * F32FromF16(op.panels[(panel + i) * kPanelWidth + col % kPanelWidth]);
  });
}

void GemmBrain(const GemmBf16& op) noexcept {
  GemmOf(op, [&](uint16_t a, size_t col, size_t i) {
    const size_t pair = (col / kPanelWidth * op.k + i / kPair * kPair) * kPanelWidth;
    const size_t at = pair + col % kPanelWidth * kPair + i % kPair;
    return F32FromBf16(a) * F32FromBf16(op.panels[at]);
  });
}

void QuantizeI8(const float* x, size_t n, int8_t* q, ActivationBlock* blocks) noexcept {
  constexpr size_t kBlock = 32;
  for (size_t i = 0; i < n; i += kBlock, ++blocks) {
    float largest = 0.0f;
    float poison = 0.0f;  // NaN once any x is NaN or infinite
    for (size_t j = i; j < i + kBlock; ++j) {
      largest = std::max(largest, std::abs(x[j]));
      poison += x[j] * 0.0f;
    }
    const bool usable = largest > kSmallestRange && poison == 0.0f;
    const float inverse = usable ? 127.0f / largest : 0.0f;
    int32_t sums[2] = {};
    for (size_t j = 0; j < kBlock; ++j) {
      q[i + j] = usable ? static_cast<int8_t>(std::nearbyint(x[i + j] * inverse)) : int8_t{0};
      sums[j / (kBlock / 2)] += q[i + j];
    }
    blocks->scale = (usable ? largest / 127.0f : 0.0f) + poison;
    blocks->sum = blocks->scale * static_cast<float>(sums[0] + sums[1]);
    blocks->start = -128 * (sums[0] + sums[1]);
    blocks->start_halves[0] = -128 * sums[0];
    blocks->start_halves[1] = -128 * sums[1];
  }
}

void F32ToBf16(const float* x, size_t n, uint16_t* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] = Bf16FromF32(x[i]);
}

}  // namespace

const KernelTable& ScalarTable() noexcept {
  static constexpr KernelTable kTable = {
      GemmFloat,        GemmInteger, QuantizeI16, LayerNorm, GeluErf,      GeluTanh, Silu,
      Softmax,          Add,         Multiply,    RmsNorm,   RopeNormal,   RopeNeox, SiluMultiply,
      GeluTanhMultiply, SoftCap,     F32ToF16,    F16ToF32,  ScalarGemmI8, GemmHalf, GemmBrain,
      QuantizeI8,       F32ToBf16};
  return kTable;
}

}  // namespace vade::kernels
