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
  static void StoreI16(int16_t* q, F x) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q), ToI16(x));
  }
  static void StoreI16Partial(int16_t* q, size_t n, F x) noexcept {
    _mm256_mask_storeu_epi16(q, FirstN(n), ToI16(x));
  }
  // Rounded to nearest, saturated.
  static __m256i ToI16(F x) noexcept { return _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(x)); }

  // Sixteen int32 sums. Kept as __m512i (eight 64-bit lanes), g++ 12 copies every accumulator
  // between two registers and the stack in each step of a product.
  typedef int32_t I __attribute__((vector_size(64)));
  static F ToF32(I x) noexcept { return _mm512_cvtepi32_ps((__m512i)x); }
  static __m512i LoadPairs(const int16_t* p) noexcept { return _mm512_loadu_si512(p); }
  // sum + a[0] * w[2 * lane] + a[1] * w[2 * lane + 1] for every lane.
  static I DotPair(I sum, const int16_t* a, __m512i w) noexcept {
    int32_t pair;
    __builtin_memcpy(&pair, a, sizeof(pair));
    return (I)_mm512_dpwssd_epi32((__m512i)sum, _mm512_set1_epi32(pair), w);
  }
};

#include "engine/kernels/gemm_inl.h"
#include "engine/kernels/row_ops_inl.h"

}  // namespace

const KernelTable& Avx512Table() noexcept {
  static constexpr KernelTable kTable = {
      GemmFloat<V16>, GemmInteger<V16>, QuantizeI16<V16>, LayerNorm<V16>, GeluErf<V16>,
      GeluTanh<V16>,  Silu<V16>,        Softmax<V16>,     Add<V16>,       Multiply<V16>};
  return kTable;
}

}  // namespace vade::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__
