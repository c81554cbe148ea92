// The AVX-512 kernels (F, BW, VL, DQ, VNNI). Compiled without -mavx512f: only the code between
// the target markers may use these instructions, and no shared inline function is instantiated
// there.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/row_pack.h"
#include "engine/kernels/tables.h"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
// g++ 12 reports its own _mm256_undefined_pd() inside the intrinsics (GCC PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c,prefer-vector-width=512")
#endif

namespace vade::kernels {
namespace {

struct V16 {
  using F = __m512;
  static constexpr size_t kLanes = 16;
  static constexpr size_t kTileRows = 12;  // 24 accumulators of the 32 registers

  static F Set(float x) noexcept { return _mm512_set1_ps(x); }
  static F Load(const float* p) noexcept { return _mm512_loadu_ps(p); }
  static void Store(float* p, F x) noexcept { _mm512_storeu_ps(p, x); }
  static __mmask16 FirstN(size_t n) noexcept {
    return n >= kLanes ? __mmask16{0xFFFF} : static_cast<__mmask16>((1u << n) - 1u);
  }
  static F LoadMasked(const float* p, __mmask16 m) noexcept { return _mm512_maskz_loadu_ps(m, p); }
  static void StoreMasked(float* p, __mmask16 m, F x) noexcept { _mm512_mask_storeu_ps(p, m, x); }
  static F Select(__mmask16 m, F yes, F no) noexcept { return _mm512_mask_blend_ps(m, no, yes); }
  static F Add(F a, F b) noexcept { return _mm512_add_ps(a, b); }
  static F Sub(F a, F b) noexcept { return _mm512_sub_ps(a, b); }
  static F Mul(F a, F b) noexcept { return _mm512_mul_ps(a, b); }
  static F Div(F a, F b) noexcept { return _mm512_div_ps(a, b); }
  static F Min(F a, F b) noexcept { return _mm512_min_ps(a, b); }
  static F Max(F a, F b) noexcept { return _mm512_max_ps(a, b); }
  static F Fma(F a, F b, F c) noexcept { return _mm512_fmadd_ps(a, b, c); }
  static F NegFma(F a, F b, F c) noexcept { return _mm512_fnmadd_ps(a, b, c); }
  static F Round(F x) noexcept { return _mm512_roundscale_ps(x, 8); }  // nearest, no exceptions
  static F ScaleByPowerOf2(F x, F j) noexcept { return _mm512_scalef_ps(x, j); }
  static float ReduceAdd(F x) noexcept { return _mm512_reduce_add_ps(x); }
  static float ReduceMin(F x) noexcept { return _mm512_reduce_min_ps(x); }
  static float ReduceMax(F x) noexcept { return _mm512_reduce_max_ps(x); }
  // x in [0, 255] after rounding; anything else saturates.
  static __m128i ToU8(F x) noexcept {
    const __m512i level = _mm512_max_epi32(_mm512_cvtps_epi32(x), _mm512_setzero_si512());
    return _mm512_cvtusepi32_epi8(level);
  }
  static void StoreU8(uint8_t* q, F x) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q), ToU8(x));
  }
  static void StoreU8Partial(uint8_t* q, size_t n, F x) noexcept {
    _mm_mask_storeu_epi8(q, FirstN(n), ToU8(x));
  }
};

#include "engine/kernels/gemm_f32_inl.h"
#include "engine/kernels/row_ops_inl.h"

// --- int8 ----------------------------------------------------------------------------------------
// The tile of gemm_f32_inl.h with vpdpbusd: 12 rows by 32 columns, four steps of k at a time.
// The int32 sums of one group stay in registers; between groups the f32 totals live in c.

struct GroupFactors {
  const float* a_scale;   // of the tile's first row and this group; rows num_groups apart
  const float* a_offset;  // likewise
  const float* w_scale;   // [32]
  const float* w_sum;     // [32]
  const float* bias;      // [n] or null
  size_t num_groups;
  bool accumulate;
};

inline __m512i Broadcast4(const uint8_t* p) noexcept {
  int32_t quad;
  __builtin_memcpy(&quad, p, sizeof(quad));
  return _mm512_set1_epi32(quad);
}

// The accumulator's own type: kept as __m512i (eight 64-bit lanes), g++ 12 copies every
// accumulator between two registers and the stack in each step.
typedef int32_t I32x16 __attribute__((vector_size(64)));

inline I32x16 DotQ8(I32x16 sum, const uint8_t* a, __m512i w) noexcept {
  return (I32x16)_mm512_dpbusd_epi32((__m512i)sum, Broadcast4(a), w);
}

struct Columns {  // what the 32 columns of a tile share
  __m512 scale_left, scale_right, sum_left, sum_right, bias_left, bias_right;
  __mmask16 mask_left, mask_right;
  bool accumulate;
};

inline Columns LoadColumns(const GroupFactors& f, size_t n) noexcept {
  Columns columns = {
      _mm512_loadu_ps(f.w_scale),
      _mm512_loadu_ps(f.w_scale + 16),
      _mm512_loadu_ps(f.w_sum),
      _mm512_loadu_ps(f.w_sum + 16),
      _mm512_setzero_ps(),
      _mm512_setzero_ps(),
      V16::FirstN(n),
      V16::FirstN(n > 16 ? n - 16 : 0),
      f.accumulate,
  };
  if (f.bias != nullptr) {
    columns.bias_left = V16::LoadMasked(f.bias, columns.mask_left);
    columns.bias_right = V16::LoadMasked(f.bias + 16, columns.mask_right);
  }
  return columns;
}

inline void FinishQ8(const Columns& columns, float a_scale, float a_offset, I32x16 left,
                     I32x16 right, float* c) noexcept {
  const __m512 scale = _mm512_set1_ps(a_scale);
  const __m512 offset = _mm512_set1_ps(a_offset);
  __m512 y_left = _mm512_fmadd_ps(offset, columns.sum_left, columns.bias_left);
  __m512 y_right = _mm512_fmadd_ps(offset, columns.sum_right, columns.bias_right);
  if (columns.accumulate) {
    y_left = _mm512_add_ps(y_left, V16::LoadMasked(c, columns.mask_left));
    y_right = _mm512_add_ps(y_right, V16::LoadMasked(c + 16, columns.mask_right));
  }
  y_left = _mm512_fmadd_ps(_mm512_cvtepi32_ps((__m512i)left),
                           _mm512_mul_ps(scale, columns.scale_left), y_left);
  y_right = _mm512_fmadd_ps(_mm512_cvtepi32_ps((__m512i)right),
                            _mm512_mul_ps(scale, columns.scale_right), y_right);
  V16::StoreMasked(c, columns.mask_left, y_left);
  V16::StoreMasked(c + 16, columns.mask_right, y_right);
}

template <size_t... kRow>
void TileQ8(RowPack<kRow...>, const GemmQ8& op, const uint8_t* a, const int8_t* panel,
            const GroupFactors& f, float* c, size_t n) noexcept {
  const I32x16 zero = {};
  I32x16 left[] = {((void)kRow, zero)...};
  I32x16 right[] = {((void)kRow, zero)...};
  const size_t lda = op.lda;
  const size_t group = op.group;
  for (size_t i = 0; i < group; i += kQuad) {
    const __m512i w_left = _mm512_loadu_si512(panel + i * kPanelWidth);
    const __m512i w_right = _mm512_loadu_si512(panel + i * kPanelWidth + 64);
    ((left[kRow] = DotQ8(left[kRow], a + kRow * lda + i, w_left),
      right[kRow] = DotQ8(right[kRow], a + kRow * lda + i, w_right)),
     ...);
  }
  const Columns columns = LoadColumns(f, n);
  (FinishQ8(columns, f.a_scale[kRow * f.num_groups], f.a_offset[kRow * f.num_groups], left[kRow],
            right[kRow], c + kRow * op.ldc),
   ...);
}

template <size_t kRows>
void TileQ8Rows(size_t rows, const GemmQ8& op, const uint8_t* a, const int8_t* panel,
                const GroupFactors& f, float* c, size_t n) noexcept {
  if constexpr (kRows > 1) {
    if (rows < kRows) {
      TileQ8Rows<kRows - 1>(rows, op, a, panel, f, c, n);
      return;
    }
  }
  TileQ8(typename RowsOf<kRows>::Type{}, op, a, panel, f, c, n);
}

void Gemm8(const GemmQ8& op) noexcept {
  if (op.m == 0) return;
  const size_t num_groups = op.k / op.group;
  const size_t num_tiles = (op.m + V16::kTileRows - 1) / V16::kTileRows;
  for (size_t col = 0; col < op.n; col += kPanelWidth) {
    const size_t n = op.n - col < kPanelWidth ? op.n - col : kPanelWidth;
    for (size_t g = 0; g < num_groups; ++g) {
      const int8_t* panel = op.panels + col * op.k + g * op.group * kPanelWidth;
      const size_t at = col * num_groups + g * kPanelWidth;
      size_t row = 0;
      for (size_t t = 0; t < num_tiles; ++t) {
        const size_t rows = op.m * (t + 1) / num_tiles - row;
        const GroupFactors factors = {
            op.a_scale + row * num_groups + g,
            op.a_offset + row * num_groups + g,
            op.w_scale + at,
            op.w_sum + at,
            op.bias != nullptr && g == 0 ? op.bias + col : nullptr,
            num_groups,
            op.accumulate || g > 0,
        };
        TileQ8Rows<V16::kTileRows>(rows, op, op.a + row * op.lda + g * op.group, panel, factors,
                                   op.c + row * op.ldc + col, n);
        row += rows;
      }
    }
  }
}

}  // namespace

const KernelTable& Avx512Table() noexcept {
  static constexpr KernelTable kTable = {
      Gemm<V16>,     Gemm8,     QuantizeU8<V16>, LayerNorm<V16>, GeluErf<V16>,
      GeluTanh<V16>, Silu<V16>, Softmax<V16>,    Add<V16>,       Multiply<V16>};
  return kTable;
}

}  // namespace vade::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__
