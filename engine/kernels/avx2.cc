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
  static void StoreI16(int16_t* q, F x) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q), ToI16(x));
  }
  static void StoreI16Partial(int16_t* q, size_t n, F x) noexcept {
    const __m128i words = ToI16(x);
    __builtin_memcpy(q, &words, n * sizeof(int16_t));
  }
  // Rounded to nearest, saturated.
  static __m128i ToI16(F x) noexcept {
    const __m256i level = _mm256_cvtps_epi32(x);
    return _mm_packs_epi32(_mm256_castsi256_si128(level), _mm256_extracti128_si256(level, 1));
  }

  // Eight int32 sums. Kept as __m256i (four 64-bit lanes), g++ 12 copies every accumulator between
  // two registers and the stack in each step of a product.
  typedef int32_t I __attribute__((vector_size(32)));
  static F ToF32(I x) noexcept { return _mm256_cvtepi32_ps((__m256i)x); }
  static __m256i LoadPairs(const int16_t* p) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  // sum + a[0] * w[2 * lane] + a[1] * w[2 * lane + 1] for every lane.
  static I DotPair(I sum, const int16_t* a, __m256i w) noexcept {
    int32_t pair;
    __builtin_memcpy(&pair, a, sizeof(pair));
    return sum + (I)_mm256_madd_epi16(_mm256_set1_epi32(pair), w);
  }
};

#include "engine/kernels/gemm_inl.h"
#include "engine/kernels/row_ops_inl.h"

}  // namespace

const KernelTable& Avx2Table() noexcept {
  static constexpr KernelTable kTable = {
      GemmFloat<V8>, GemmInteger<V8>, QuantizeI16<V8>, LayerNorm<V8>, GeluErf<V8>,
      GeluTanh<V8>,  Silu<V8>,        Softmax<V8>,     Add<V8>,       Multiply<V8>};
  return kTable;
}

}  // namespace vade::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__
