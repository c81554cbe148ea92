// vector_scan.h for AVX2, FMA and F16C.
#include "engine/kernels/vector_scan.h"
#include "engine/kernels/vector_scan_x86.h"
#ifdef __x86_64__
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

namespace vade::kernels {
namespace {

int32_t Sum(__m256i v) noexcept {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return _mm_cvtsi128_si32(sum);
}

__m256i Load16(const int8_t* bytes) noexcept {
  return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes)));
}

}  // namespace

void ScoreCodesAvx2(const CodeRows& rows, const int8_t* query, float query_scale,
                    float* scores) noexcept {
  size_t row = 0;
  // Two rows share each widened piece of the query. 16-bit products of values within +-127 and
  // their pairwise sums are exact in madd's 32 bits.
  for (; row + 2 <= rows.num_rows; row += 2) {
    const int8_t* a = rows.codes + row * rows.stride;
    const int8_t* b = a + rows.stride;
    __m256i dot_a = _mm256_setzero_si256();
    __m256i dot_b = _mm256_setzero_si256();
    for (size_t i = 0; i < rows.stride; i += 16) {
      const __m256i q = Load16(query + i);
      dot_a = _mm256_add_epi32(dot_a, _mm256_madd_epi16(q, Load16(a + i)));
      dot_b = _mm256_add_epi32(dot_b, _mm256_madd_epi16(q, Load16(b + i)));
    }
    scores[row] = query_scale * rows.scales[row] * static_cast<float>(Sum(dot_a));
    scores[row + 1] = query_scale * rows.scales[row + 1] * static_cast<float>(Sum(dot_b));
  }
  if (row < rows.num_rows) {
    const int8_t* a = rows.codes + row * rows.stride;
    __m256i dot = _mm256_setzero_si256();
    for (size_t i = 0; i < rows.stride; i += 16) {
      dot = _mm256_add_epi32(dot, _mm256_madd_epi16(Load16(query + i), Load16(a + i)));
    }
    scores[row] = query_scale * rows.scales[row] * static_cast<float>(Sum(dot));
  }
}

float DotF16Avx2(const float* query, const uint16_t* row, size_t dimension) noexcept {
  __m256 dot = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= dimension; i += 8) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i));
    dot = _mm256_fmadd_ps(_mm256_loadu_ps(query + i), _mm256_cvtph_ps(half), dot);
  }
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(dot), _mm256_extractf128_ps(dot, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
  float total = _mm_cvtss_f32(sum);
  for (; i < dimension; ++i) total += query[i] * _cvtsh_ss(row[i]);
  return total;
}

}  // namespace vade::kernels

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
