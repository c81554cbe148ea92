// vector_scan.h for AVX-512 with VNNI.
//
// vpdpbusd multiplies unsigned by signed bytes, so the query is shifted to q + 128 once and the
// surplus 128 * sum(codes) is taken off each row's result. Four rows are in flight: one load of
// the query serves four, and their four accumulators are reduced together to one vector of sums.
// At 384 dimensions a row costs 6 loads and 6 vpdpbusd: the scan runs at the speed of memory.
#include "engine/kernels/vector_scan.h"
#include "engine/kernels/vector_scan_x86.h"
#ifdef __x86_64__
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(                                                               \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
// g++ 12 warns of the undefined register that its own intrinsics start from.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")
#endif

namespace vade::kernels {
namespace {

constexpr size_t kRowsAtOnce = 4;

__m128i Halve(__m512i v) noexcept {
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

// [sum(a), sum(b), sum(c), sum(d)]
__m128i Sums(__m512i a, __m512i b, __m512i c, __m512i d) noexcept {
  const __m128i ab = _mm_hadd_epi32(Halve(a), Halve(b));
  const __m128i cd = _mm_hadd_epi32(Halve(c), Halve(d));
  return _mm_hadd_epi32(ab, cd);
}

__m512i Load(const int8_t* bytes) noexcept {
  return _mm512_load_si512(reinterpret_cast<const __m512i*>(bytes));
}

}  // namespace

void ScoreCodesAvx512(const CodeRows& rows, const int8_t* query, float query_scale,
                      float* scores) noexcept {
  const __m512i shift = _mm512_set1_epi8(static_cast<char>(0x80));
  const size_t stride = rows.stride;
  size_t row = 0;
  for (; row + kRowsAtOnce <= rows.num_rows; row += kRowsAtOnce) {
    const int8_t* codes = rows.codes + row * stride;
    __m512i a = _mm512_setzero_si512();
    __m512i b = a;
    __m512i c = a;
    __m512i d = a;
    for (size_t i = 0; i < stride; i += 64) {
      const __m512i q = _mm512_xor_si512(Load(query + i), shift);
      a = _mm512_dpbusd_epi32(a, q, Load(codes + i));
      b = _mm512_dpbusd_epi32(b, q, Load(codes + stride + i));
      c = _mm512_dpbusd_epi32(c, q, Load(codes + 2 * stride + i));
      d = _mm512_dpbusd_epi32(d, q, Load(codes + 3 * stride + i));
    }
    const __m128i surplus =
        _mm_slli_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows.sums + row)), 7);
    const __m128 dots = _mm_cvtepi32_ps(_mm_sub_epi32(Sums(a, b, c, d), surplus));
    const __m128 scales = _mm_mul_ps(_mm_set1_ps(query_scale), _mm_loadu_ps(rows.scales + row));
    _mm_storeu_ps(scores + row, _mm_mul_ps(scales, dots));
  }
  for (; row < rows.num_rows; ++row) {
    const int8_t* codes = rows.codes + row * stride;
    __m512i a = _mm512_setzero_si512();
    for (size_t i = 0; i < stride; i += 64) {
      a = _mm512_dpbusd_epi32(a, _mm512_xor_si512(Load(query + i), shift), Load(codes + i));
    }
    const int32_t dot = _mm512_reduce_add_epi32(a) - 128 * rows.sums[row];
    scores[row] = query_scale * rows.scales[row] * static_cast<float>(dot);
  }
}

float DotF16Avx512(const float* query, const uint16_t* row, size_t dimension) noexcept {
  __m512 dot = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= dimension; i += 16) {
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + i));
    dot = _mm512_fmadd_ps(_mm512_loadu_ps(query + i), _mm512_cvtph_ps(half), dot);
  }
  if (i < dimension) {
    const auto mask = static_cast<__mmask16>((1u << (dimension - i)) - 1);
    const __m256i half = _mm256_maskz_loadu_epi16(mask, row + i);
    dot = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, query + i), _mm512_cvtph_ps(half), dot);
  }
  return _mm512_reduce_add_ps(dot);
}

}  // namespace vade::kernels

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
