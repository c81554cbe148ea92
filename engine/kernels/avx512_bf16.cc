// The bf16 product with the instruction for it. Beside avx512.cc because not every CPU that runs
// that file has AVX512-BF16.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/row_pack.h"
#include "engine/kernels/tables.h"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
// g++ 12 reports its own _mm256_undefined_pd() inside the intrinsics (GCC PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target( \
    "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,fma,f16c,prefer-vector-width=512")
#endif

namespace vade::kernels {
namespace {

#include "engine/kernels/v16_inl.h"

struct V16Bf16 : V16 {
  static __m512i LoadBf16Pairs(const uint16_t* p) noexcept { return _mm512_loadu_si512(p); }
  static __m512i Bf16Pair(const uint16_t* p) noexcept {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    return _mm512_set1_epi32(pair);
  }
  static F DotBf16(F sum, __m512i w, __m512i a) noexcept {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)w);
  }
};

#include "engine/kernels/gemm_inl.h"
// After gemm_inl.h, whose tiles' ends it uses.
#include "engine/kernels/gemm_half_inl.h"

}  // namespace

void GemmBf16Instructions(const GemmBf16& op) noexcept { GemmHalf<V16Bf16>(op); }

}  // namespace vade::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__
