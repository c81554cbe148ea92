// Eight lanes of f32, and what else the AVX2 kernels need of the instruction set. Included inside
// the target region, in an unnamed namespace.

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

  // --- bytes, for the 8-bit product

  using B = __m256i;
  static constexpr size_t kBytes = 32;
  static constexpr size_t kI8Rows = 2;  // 4 integer and 4 f32 accumulators
  static constexpr size_t kStreamRows = 2;

  static void Prefetch(const void* p) noexcept { _mm_prefetch(p, _MM_HINT_T0); }
  static B LoadBytes(const uint8_t* p) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void StoreBytes(uint8_t* p, B x) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
  }
  static B Byte(uint8_t x) noexcept { return _mm256_set1_epi8(static_cast<char>(x)); }
  static B And(B a, B b) noexcept { return _mm256_and_si256(a, b); }
  static B Or(B a, B b) noexcept { return _mm256_or_si256(a, b); }
  static B AddBytes(B a, B b) noexcept { return _mm256_add_epi8(a, b); }
  // Of 32-bit lanes: bits of the neighbouring byte come in and must be masked off.
  template <int kShift>
  static B ShiftRight(B x) noexcept {
    return _mm256_srli_epi32(x, kShift);
  }
  template <int kShift>
  static B ShiftLeft(B x) noexcept {
    return _mm256_slli_epi32(x, kShift);
  }
  // Bits of a where the mask's are set, else of b.
  static B SelectBits(B mask, B a, B b) noexcept {
    return _mm256_or_si256(_mm256_and_si256(mask, a), _mm256_andnot_si256(mask, b));
  }
  // codes + what, where the bit of a code is set: byte i looks at bit i % 8 of bits[i / 8].
  static B AddWhere(B codes, const uint8_t* bits, B what) noexcept {
    int32_t mask;
    __builtin_memcpy(&mask, bits, sizeof(mask));
    const B of_byte =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const B bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
    const B spread = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(mask), of_byte), bit);
    return _mm256_add_epi8(codes, _mm256_and_si256(_mm256_cmpeq_epi8(spread, bit), what));
  }
  static B Table(const int8_t* levels) noexcept {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(levels)));
  }
  static B Lookup(B table, B code) noexcept { return _mm256_shuffle_epi8(table, code); }

  static I WidenU8(const uint8_t* p) noexcept {
    return (I)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static I WidenI8(const uint8_t* p) noexcept {
    return (I)_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static F LoadBf16(const uint16_t* p) noexcept {
    const __m256i wide =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static F Abs(F x) noexcept { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
  static void StoreI8(int8_t* q, F level) noexcept {
    const __m128i words = ToI16(level);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(q), _mm_packs_epi16(words, words));
  }

  // vpmaddubsw adds two products in 16 bits: enough for codes below 64, not for signed weights
  // stored plus 128. Those are multiplied by magnitude, with their signs given to the activations:
  // 128 * 127 * 2 < 2^15. So ActivationBlock::start has nothing to make up for here.
  struct SignedCodes {
    B value, magnitude;
  };
  static I SetI(int32_t x) noexcept { return (I)_mm256_set1_epi32(x); }
  template <bool kAffine>
  static I Start(const int32_t*) noexcept {
    return I{};
  }
  template <bool kAffine>
  static auto FromBytes(B codes) noexcept {
    if constexpr (kAffine) {
      return codes;
    } else {
      const B value = _mm256_xor_si256(codes, Byte(0x80));
      return SignedCodes{value, _mm256_abs_epi8(value)};
    }
  }
  template <bool kAffine>
  static auto Codes(const uint8_t* p) noexcept {
    return FromBytes<kAffine>(LoadBytes(p));
  }
  static B Four(const int8_t* a) noexcept {
    int32_t four;
    __builtin_memcpy(&four, a, sizeof(four));
    return _mm256_set1_epi32(four);
  }
  template <bool kAffine, class W>
  static I DotFour(I sum, const W& codes, B four) noexcept {
    B pairs;
    if constexpr (kAffine) {
      pairs = _mm256_maddubs_epi16(codes, four);
    } else {
      pairs = _mm256_maddubs_epi16(codes.magnitude, _mm256_sign_epi8(four, codes.value));
    }
    return sum + (I)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  }

  // --- bf16 without the bf16 instructions: the upper half of an f32

  struct Bf16Pairs {
    F first, second;
  };
  static Bf16Pairs LoadBf16Pairs(const uint16_t* p) noexcept {
    const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)),
            _mm256_castsi256_ps(
                _mm256_and_si256(pairs, _mm256_set1_epi32(static_cast<int32_t>(0xFFFF0000))))};
  }
  static Bf16Pairs Bf16Pair(const uint16_t* p) noexcept {
    uint32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    const __m256i first = _mm256_set1_epi32(static_cast<int32_t>(pair << 16));
    const __m256i second = _mm256_set1_epi32(static_cast<int32_t>(pair & 0xFFFF0000u));
    return {_mm256_castsi256_ps(first), _mm256_castsi256_ps(second)};
  }
  static F DotBf16(F sum, const Bf16Pairs& w, const Bf16Pairs& a) noexcept {
    return Fma(a.second, w.second, Fma(a.first, w.first, sum));
  }
};
