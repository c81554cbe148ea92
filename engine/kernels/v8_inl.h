// Eight lanes of f32, and what else the AVX2 kernels need of the instruction set. Included inside
// the target region, in an unnamed namespace.

struct V8 {
  using F = __m256;
  static constexpr size_t kLanes = 8;
  static constexpr size_t kTileRows = 6;       // 12 accumulators of the 16 registers
  static constexpr size_t kAttentionRows = 2;  // 8 accumulators

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

  static F LoadF16(const uint16_t* p) noexcept {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static F LoadF16Masked(const uint16_t* p, __m256i m) noexcept {
    const int lanes = _mm256_movemask_ps(_mm256_castsi256_ps(m));
    __m128i half = _mm_setzero_si128();
    __builtin_memcpy(&half, p, static_cast<size_t>(__builtin_popcount(unsigned(lanes))) * 2);
    return _mm256_cvtph_ps(half);
  }
  static void StoreF16(uint16_t* p, F x) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, 0));
  }
  static void StoreF16Partial(uint16_t* p, size_t n, F x) noexcept {
    const __m128i half = _mm256_cvtps_ph(x, 0);
    __builtin_memcpy(p, &half, n * sizeof(uint16_t));
  }

  // (p[0], p[0], p[1], p[1], ...), and x with its neighbours exchanged.
  static F LoadTwice(const float* p) noexcept {
    const __m256i index = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), index);
  }
  static F SwapPairs(F x) noexcept { return _mm256_permute_ps(x, 0xB1); }
  // Even lanes a * b - c, odd lanes a * b + c.
  static F FmaSubAdd(F a, F b, F c) noexcept { return _mm256_fmaddsub_ps(a, b, c); }

  // The sums of four vectors.
  static __m128 ReduceAdd4(F a, F b, F c, F d) noexcept {
    const F ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    const F cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    const F sums = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xEE));
    return _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
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
