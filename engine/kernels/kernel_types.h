// What the kernels take: the operands of the two matrix products and the table of functions every
// instruction set fills. Includes nothing that carries inline code, because the files of one
// instruction set open their target region right after it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vade::kernels {

/// Columns of one packed weight panel: two 512-bit or four 256-bit vectors of f32, so that one
/// layout serves every instruction set.
inline constexpr size_t kPanelWidth = 32;

/// Depth of one step of the integer product: vpdpwssd and vpmaddwd sum two neighbouring products.
inline constexpr size_t kPair = 2;

/// Integer activations are 13 bits and weights 11.4 bits wide, so that 384 products of the largest
/// fit an int32: 4095 * 1365 * 384 < 2^31.
inline constexpr int32_t kMaxActivation = 4095;
inline constexpr int32_t kMaxWeight = 1365;
inline constexpr size_t kMaxGroup = 384;

/// A group whose values span less than this is stored as its minimum: 255 / range stays finite.
inline constexpr float kSmallestRange = 1e-30f;

/// y = a * w^T (+ bias) (+ y), weights packed.
/// Shapes: a [m, k] f32, rows lda apart; panels [ceil(n/32), k, 32] f32, columns past n zero;
/// bias [n] or null; c [m, n] f32, rows ldc apart. Nothing outside c's [m, n] is written.
struct GemmF32 {
  const float* a = nullptr;
  size_t lda = 0;
  size_t m = 0;
  size_t k = 0;
  const float* panels = nullptr;
  const float* bias = nullptr;
  float* c = nullptr;
  size_t ldc = 0;
  size_t n = 0;
  bool accumulate = false;  // add to what c holds
};

/// y = a * w^T (+ bias) (+ y) in integers; both sides are quantised per `group` consecutive
/// elements of k: a = a_scale * q + a_offset (|q| <= kMaxActivation), w = w_scale * s
/// (|s| <= kMaxWeight). So sum(a*w) over a group = a_scale * w_scale * sum(q*s) + a_offset * w_sum,
/// with w_sum = w_scale * sum(s) prepared at load; sum(q*s) is exact.
/// Why 16-bit storage: with 8-bit activations all-MiniLM-L6-v2 keeps a cosine of 0.9933 to its f32
/// self (0.9989 with a scale per 32 values); with 13 bits the weights' own error is all there is.
/// Shapes (G = k / group): a [m, k] i16, rows lda apart; a_scale, a_offset [m, G];
/// panels [ceil(n/32), k/2, 32, 2] i16; w_scale, w_sum [ceil(n/32), G, 32]; bias [n] or null;
/// c [m, n] f32, rows ldc apart. k % group == 0, group even, group <= kMaxGroup.
struct GemmI16 {
  const int16_t* a = nullptr;
  size_t lda = 0;
  const float* a_scale = nullptr;
  const float* a_offset = nullptr;
  size_t m = 0;
  size_t k = 0;
  size_t group = 0;
  const int16_t* panels = nullptr;
  const float* w_scale = nullptr;
  const float* w_sum = nullptr;
  const float* bias = nullptr;
  float* c = nullptr;
  size_t ldc = 0;
  size_t n = 0;
  bool accumulate = false;
};

/// One block of 32 activations, quantised: x = scale * q, |q| <= 127.
struct ActivationBlock {
  float scale;
  float sum;      // scale * (sum of q): what an affine weight's minimum is multiplied with
  int32_t start;  // -128 * (sum of q): makes up for signed weights stored plus 128
  int32_t start_halves[2];  // likewise, of the first and the last 16
};

enum class PanelKind : uint8_t;  // panel_format.h

/// y = a * w^T (+ bias) (+ y) for weights in their own few bits, activations in 8.
/// The sum of the 32 products of a block is an exact integer; blocks are summed in f32 in ascending
/// order, whatever m is: a row's result does not depend on what else is in the call.
/// Shapes: a [m, k] i8, rows lda apart; blocks [m, k / 32], rows k / 32 apart; panels
/// [ceil(n/32), k / (32 * record_blocks), record_bytes] of kPanelFormats[kind]; bias [n] or null;
/// c [m, n] f32, rows ldc apart. k % (32 * record_blocks) == 0. 64-byte aligned panels.
struct GemmI8 {
  const int8_t* a = nullptr;
  size_t lda = 0;
  const ActivationBlock* blocks = nullptr;
  size_t m = 0;
  size_t k = 0;
  PanelKind kind{};
  const uint8_t* panels = nullptr;
  const float* bias = nullptr;
  float* c = nullptr;
  size_t ldc = 0;
  size_t n = 0;
  bool accumulate = false;
};

/// y = a * w^T (+ bias) (+ y), weights f16, activations f32, f32 arithmetic.
/// Shapes: a [m, k] f32; panels [ceil(n/32), k, 32] f16; the rest as GemmF32.
struct GemmF16 {
  const float* a = nullptr;
  size_t lda = 0;
  size_t m = 0;
  size_t k = 0;
  const uint16_t* panels = nullptr;
  const float* bias = nullptr;
  float* c = nullptr;
  size_t ldc = 0;
  size_t n = 0;
  bool accumulate = false;
};

/// y = a * w^T (+ bias) (+ y), both bf16, f32 sums. k even. Subnormal values may count as zero.
/// Shapes: a [m, k] bf16; panels [ceil(n/32), k/2, 32, 2] bf16; the rest as GemmF32.
struct GemmBf16 {
  const uint16_t* a = nullptr;
  size_t lda = 0;
  size_t m = 0;
  size_t k = 0;
  const uint16_t* panels = nullptr;
  const float* bias = nullptr;
  float* c = nullptr;
  size_t ldc = 0;
  size_t n = 0;
  bool accumulate = false;
};

struct KernelTable {
  void (*gemm_f32)(const GemmF32& op) noexcept;
  void (*gemm_i16)(const GemmI16& op) noexcept;

  /// x[i] = scale * q[i] + offset within scale / 2: offset is the middle of x's range, scale the
  /// range / (2 * kMaxActivation). A non-finite x makes offset NaN.
  void (*quantize_i16)(const float* x, size_t n, int16_t* q, float* scale, float* offset) noexcept;

  /// y = (x - mean) / sqrt(variance + eps) * weight + bias; bias may be null. In place allowed.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, size_t n,
                     float* y) noexcept;

  /// x * Phi(x), Phi the normal distribution function: the GELU of the original BERT.
  void (*gelu_erf)(float* x, size_t n) noexcept;
  /// x * sigmoid(2 * sqrt(2/pi) * (x + 0.044715 x^3)): the tanh form of GELU.
  void (*gelu_tanh)(float* x, size_t n) noexcept;
  /// x * sigmoid(x).
  void (*silu)(float* x, size_t n) noexcept;

  /// x = exp(scale * (x - max(x))) / sum. scale >= 0.
  void (*softmax)(float* x, size_t n, float scale) noexcept;

  void (*add)(const float* x, size_t n, float* y) noexcept;       // y += x
  void (*multiply)(const float* x, size_t n, float* y) noexcept;  // y *= x

  /// y = x / sqrt(mean(x^2) + eps) * weight; weight null: 1. In place allowed.
  void (*rms_norm)(const float* x, const float* weight, float eps, size_t n, float* y) noexcept;

  /// Rotates the first 2 * half values of num_heads neighbouring heads of one token by the angles
  /// whose cosines and sines [half] are given. Normal: value 2i with 2i + 1; neox: i with i + half.
  void (*rope_normal)(float* heads, size_t num_heads, size_t head_dim, const float* cosines,
                      const float* sines, size_t half) noexcept;
  void (*rope_neox)(float* heads, size_t num_heads, size_t head_dim, const float* cosines,
                    const float* sines, size_t half) noexcept;

  void (*silu_multiply)(const float* gate, size_t n, float* up) noexcept;       // up *= silu(gate)
  void (*gelu_tanh_multiply)(const float* gate, size_t n, float* up) noexcept;  // likewise

  /// x = cap * tanh(scale * x / cap), within 1e-6 * cap. cap > 0.
  void (*soft_cap)(float* x, size_t n, float scale, float cap) noexcept;

  /// IEEE binary16, to nearest even; overflow becomes infinity.
  void (*f32_to_f16)(const float* x, size_t n, uint16_t* y) noexcept;
  void (*f16_to_f32)(const uint16_t* x, size_t n, float* y) noexcept;

  void (*gemm_i8)(const GemmI8& op) noexcept;
  void (*gemm_f16)(const GemmF16& op) noexcept;
  void (*gemm_bf16)(const GemmBf16& op) noexcept;

  /// x [n] to q [n] and blocks [n / 32], n % 32 == 0: q = round(x / scale), scale = max |x| / 127.
  /// A non-finite x makes its block's scale and sum NaN.
  void (*quantize_i8)(const float* x, size_t n, int8_t* q, ActivationBlock* blocks) noexcept;
  /// To nearest even; NaN stays NaN.
  void (*f32_to_bf16)(const float* x, size_t n, uint16_t* y) noexcept;
};

}  // namespace vade::kernels
