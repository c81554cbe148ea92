// The AVX2 kernels (AVX2, FMA). Compiled without -mavx2: only the code between the target markers
// may use these instructions, and no shared inline function is instantiated there.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/row_pack.h"
#include "engine/kernels/tables.h"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

namespace vade::kernels {
namespace {

struct V8 {
  using F = __m256;
  static constexpr size_t kLanes = 8;
  static constexpr size_t kTileRows = 6;  // 12 accumulators of the 16 registers

  static F Set(float x) noexcept { return _mm256_set1_ps(x); }
  static F Load(const float* p) noexcept { return _mm256_loadu_ps(p); }
  static void Store(float* p, F x) noexcept { _mm256_storeu_ps(p, x); }
  static __m256i FirstN(size_t n) noexcept {
    const int count = n >= kLanes ? 8 : static_cast<int>(n);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static F LoadMasked(const float* p, __m256i m) noexcept { return _mm256_maskload_ps(p, m); }
  static void StoreMasked(float* p, __m256i m, F x) noexcept { _mm256_maskstore_ps(p, m, x); }
  static F Select(__m256i m, F yes, F no) noexcept {
    return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(m));
  }
  static F Add(F a, F b) noexcept { return _mm256_add_ps(a, b); }
  static F Sub(F a, F b) noexcept { return _mm256_sub_ps(a, b); }
  static F Mul(F a, F b) noexcept { return _mm256_mul_ps(a, b); }
  static F Div(F a, F b) noexcept { return _mm256_div_ps(a, b); }
  static F Min(F a, F b) noexcept { return _mm256_min_ps(a, b); }
  static F Max(F a, F b) noexcept { return _mm256_max_ps(a, b); }
  static F Fma(F a, F b, F c) noexcept { return _mm256_fmadd_ps(a, b, c); }
  static F NegFma(F a, F b, F c) noexcept { return _mm256_fnmadd_ps(a, b, c); }
  static F Round(F x) noexcept { return _mm256_round_ps(x, 8); }  // nearest, no exceptions
  // j integral in [-126, 127].
  static F ScaleByPowerOf2(F x, F j) noexcept {
    const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(j), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
  }
  static __m128 Halves(F x, __m128 (*op)(__m128, __m128)) noexcept {
    __m128 v = op(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    v = op(v, _mm_movehl_ps(v, v));
    return op(v, _mm_shuffle_ps(v, v, 1));
  }
  static __m128 Add4(__m128 a, __m128 b) noexcept { return _mm_add_ps(a, b); }
  static __m128 Min4(__m128 a, __m128 b) noexcept { return _mm_min_ps(a, b); }
  static __m128 Max4(__m128 a, __m128 b) noexcept { return _mm_max_ps(a, b); }
  static float ReduceAdd(F x) noexcept { return _mm_cvtss_f32(Halves(x, Add4)); }
  static float ReduceMin(F x) noexcept { return _mm_cvtss_f32(Halves(x, Min4)); }
  static float ReduceMax(F x) noexcept { return _mm_cvtss_f32(Halves(x, Max4)); }
  // x in [0, 255] after rounding; anything else saturates.
  static int64_t ToU8(F x) noexcept {
    const __m256i level = _mm256_cvtps_epi32(x);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(level), _mm256_extracti128_si256(level, 1));
    return _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
  }
  static void StoreU8(uint8_t* q, F x) noexcept {
    const int64_t bytes = ToU8(x);
    __builtin_memcpy(q, &bytes, sizeof(bytes));
  }
  static void StoreU8Partial(uint8_t* q, size_t n, F x) noexcept {
    const int64_t bytes = ToU8(x);
    __builtin_memcpy(q, &bytes, n);
  }
};

#include "engine/kernels/gemm_f32_inl.h"
#include "engine/kernels/row_ops_inl.h"

// --- int8 ----------------------------------------------------------------------------------------
// AVX2 has no exact u8 * i8 dot product (vpmaddubsw saturates at 255 * 127 * 2), so both sides are
// widened to i16 and multiplied by vpmaddwd. One vector holds four columns, two partial sums each;
// the pairs are added once per group. A tile is 2 rows by 16 columns.

constexpr size_t kQ8Rows = 2;
constexpr size_t kQ8Columns = 16;

// Four activations as i16, repeated for the four columns of a vector.
inline __m256i Broadcast4(const uint8_t* p) noexcept {
  int32_t quad;
  __builtin_memcpy(&quad, p, sizeof(quad));
  return _mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(quad)));
}

inline __m256i LoadWide(const int8_t* p) noexcept {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// [c0 c0 c1 c1 | c2 c2 c3 c3] and [c4 c4 c5 c5 | c6 c6 c7 c7] -> the eight sums in order, as f32.
inline __m256 PairSums(__m256i low, __m256i high) noexcept {
  const __m256i sums = _mm256_hadd_epi32(low, high);  // c0 c1 c4 c5 | c2 c3 c6 c7
  return _mm256_cvtepi32_ps(_mm256_permute4x64_epi64(sums, 0xD8));
}

inline void StepQ8(const uint8_t* a, const __m256i (&w)[4], __m256i (&acc)[4]) noexcept {
  const __m256i x = Broadcast4(a);
  acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(x, w[0]));
  acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(x, w[1]));
  acc[2] = _mm256_add_epi32(acc[2], _mm256_madd_epi16(x, w[2]));
  acc[3] = _mm256_add_epi32(acc[3], _mm256_madd_epi16(x, w[3]));
}

// sum[r][16]: the exact sums of the pack's rows over one group, 16 columns.
template <size_t... kRow>
void TileQ8(RowPack<kRow...>, const uint8_t* a, size_t lda, const int8_t* panel, size_t group,
            __m256 (&sum)[kQ8Rows][2]) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  __m256i acc[][4] = {{((void)kRow, zero), zero, zero, zero}...};
  for (size_t i = 0; i < group; i += kQuad) {
    const int8_t* at = panel + i * kPanelWidth;
    const __m256i w[4] = {LoadWide(at), LoadWide(at + 16), LoadWide(at + 32), LoadWide(at + 48)};
    (StepQ8(a + kRow * lda + i, w, acc[kRow]), ...);
  }
  ((sum[kRow][0] = PairSums(acc[kRow][0], acc[kRow][1])), ...);
  ((sum[kRow][1] = PairSums(acc[kRow][2], acc[kRow][3])), ...);
}

// Rows [row, row + rows), columns [col, col + 16), group g.
void BlockQ8(const GemmQ8& op, size_t row, size_t rows, size_t col, size_t g) noexcept {
  const size_t num_groups = op.k / op.group;
  const size_t first = col / kPanelWidth * kPanelWidth;  // of the panel
  const size_t in_panel = col - first;
  const int8_t* panel = op.panels + first * op.k + g * op.group * kPanelWidth + in_panel * kQuad;
  const uint8_t* a = op.a + row * op.lda + g * op.group;
  __m256 sum[kQ8Rows][2];
  if (rows == kQ8Rows) {
    TileQ8(RowsOf<kQ8Rows>::Type{}, a, op.lda, panel, op.group, sum);
  } else {
    TileQ8(RowsOf<1>::Type{}, a, op.lda, panel, op.group, sum);
  }
  for (size_t half = 0; half < 2; ++half) {
    const size_t at = col + half * 8;
    if (at >= op.n) break;
    const auto mask = V8::FirstN(op.n - at);
    const size_t factors = first * num_groups + g * kPanelWidth + in_panel + half * 8;
    const __m256 w_scale = V8::Load(op.w_scale + factors);
    const __m256 w_sum = V8::Load(op.w_sum + factors);
    const bool add_bias = op.bias != nullptr && g == 0;
    const __m256 bias = add_bias ? V8::LoadMasked(op.bias + at, mask) : V8::Set(0.0f);
    for (size_t r = 0; r < rows; ++r) {
      float* c = op.c + (row + r) * op.ldc + at;
      const size_t a_at = (row + r) * num_groups + g;
      __m256 y = V8::Fma(V8::Set(op.a_offset[a_at]), w_sum, bias);
      if (op.accumulate || g > 0) y = V8::Add(y, V8::LoadMasked(c, mask));
      y = V8::Fma(sum[r][half], V8::Mul(V8::Set(op.a_scale[a_at]), w_scale), y);
      V8::StoreMasked(c, mask, y);
    }
  }
}

void Gemm8(const GemmQ8& op) noexcept {
  const size_t num_groups = op.k / op.group;
  for (size_t col = 0; col < op.n; col += kQ8Columns) {
    for (size_t g = 0; g < num_groups; ++g) {
      for (size_t row = 0; row < op.m; row += kQ8Rows) {
        BlockQ8(op, row, op.m - row < kQ8Rows ? op.m - row : kQ8Rows, col, g);
      }
    }
  }
}

}  // namespace

const KernelTable& Avx2Table() noexcept {
  static constexpr KernelTable kTable = {Gemm<V8>,    Gemm8,        QuantizeU8<V8>, LayerNorm<V8>,
                                         GeluErf<V8>, GeluTanh<V8>, Silu<V8>,       Softmax<V8>,
                                         Add<V8>,     Multiply<V8>};
  return kTable;
}

}  // namespace vade::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__
