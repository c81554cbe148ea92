// Sixteen lanes of f32, and what else the AVX-512 kernels need of the instruction set. Included
// inside the target region, in an unnamed namespace.

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

  static F LoadF16(const uint16_t* p) noexcept {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static F LoadF16Masked(const uint16_t* p, __mmask16 m) noexcept {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, p));
  }
  static void StoreF16(uint16_t* p, F x) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, 0));
  }
  static void StoreF16Partial(uint16_t* p, size_t n, F x) noexcept {
    _mm256_mask_storeu_epi16(p, FirstN(n), _mm512_cvtps_ph(x, 0));
  }

  // (p[0], p[0], p[1], p[1], ...), and x with its neighbours exchanged.
  static F LoadTwice(const float* p) noexcept {
    const __m512i index = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(index, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
  }
  static F SwapPairs(F x) noexcept { return _mm512_permute_ps(x, 0xB1); }
  // Even lanes a * b - c, odd lanes a * b + c.
  static F FmaSubAdd(F a, F b, F c) noexcept { return _mm512_fmaddsub_ps(a, b, c); }

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

  // --- bytes, for the 8-bit product

  using B = __m512i;
  static constexpr size_t kBytes = 64;
  static constexpr size_t kI8Rows = 6;      // 12 integer and 12 f32 accumulators
  static constexpr size_t kStreamRows = 4;  // 8 and 8, beside the codes being widened

  static void Prefetch(const void* p) noexcept { _mm_prefetch(p, _MM_HINT_T0); }
  static B LoadBytes(const uint8_t* p) noexcept { return _mm512_loadu_si512(p); }
  static void StoreBytes(uint8_t* p, B x) noexcept { _mm512_storeu_si512(p, x); }
  static B Byte(uint8_t x) noexcept { return _mm512_set1_epi8(static_cast<char>(x)); }
  static B And(B a, B b) noexcept { return _mm512_and_si512(a, b); }
  static B Or(B a, B b) noexcept { return _mm512_or_si512(a, b); }
  static B AddBytes(B a, B b) noexcept { return _mm512_add_epi8(a, b); }
  // Of 32-bit lanes: bits of the neighbouring byte come in and must be masked off.
  template <unsigned kShift>
  static B ShiftRight(B x) noexcept {
    return _mm512_srli_epi32(x, kShift);
  }
  template <unsigned kShift>
  static B ShiftLeft(B x) noexcept {
    return _mm512_slli_epi32(x, kShift);
  }
  // Bits of a where the mask's are set, else of b.
  static B SelectBits(B mask, B a, B b) noexcept {
    return _mm512_ternarylogic_epi32(mask, a, b, 0xCA);
  }
  // codes + what, where the bit of a code is set.
  static B AddWhere(B codes, const uint8_t* bits, B what) noexcept {
    uint64_t mask;
    __builtin_memcpy(&mask, bits, sizeof(mask));
    return _mm512_mask_add_epi8(codes, mask, codes, what);
  }
  static B Table(const int8_t* levels) noexcept {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(levels)));
  }
  static B Lookup(B table, B code) noexcept { return _mm512_shuffle_epi8(table, code); }

  static I WidenU8(const uint8_t* p) noexcept {
    return (I)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static I WidenI8(const uint8_t* p) noexcept {
    return (I)_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static F LoadBf16(const uint16_t* p) noexcept {
    const __m512i wide =
        _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
  static F Abs(F x) noexcept { return _mm512_abs_ps(x); }
  static void StoreI8(int8_t* q, F level) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q),
                     _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(level)));
  }

  static I SetI(int32_t x) noexcept { return (I)_mm512_set1_epi32(x); }
  template <bool kAffine>
  static I Start(const int32_t* start) noexcept {
    if constexpr (kAffine) return I{};
    return (I)_mm512_set1_epi32(*start);
  }
  template <bool kAffine>
  static B FromBytes(B codes) noexcept {
    return codes;
  }
  template <bool kAffine>
  static B Codes(const uint8_t* p) noexcept {
    return FromBytes<kAffine>(LoadBytes(p));
  }
  static B Four(const int8_t* a) noexcept {
    int32_t four;
    __builtin_memcpy(&four, a, sizeof(four));
    return _mm512_set1_epi32(four);
  }
  // sum + the products of four unsigned codes of every lane with four signed activations.
  template <bool kAffine>
  static I DotFour(I sum, B codes, B four) noexcept {
    return (I)_mm512_dpbusd_epi32((__m512i)sum, codes, four);
  }

  // --- bf16 without the bf16 instructions: the upper half of an f32

  struct Bf16Pairs {
    F first, second;
  };
  static Bf16Pairs LoadBf16Pairs(const uint16_t* p) noexcept {
    const __m512i pairs = _mm512_loadu_si512(p);
    return {_mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)),
            _mm512_castsi512_ps(
                _mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int32_t>(0xFFFF0000))))};
  }
  static Bf16Pairs Bf16Pair(const uint16_t* p) noexcept {
    uint32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    const __m512i first = _mm512_set1_epi32(static_cast<int32_t>(pair << 16));
    const __m512i second = _mm512_set1_epi32(static_cast<int32_t>(pair & 0xFFFF0000u));
    return {_mm512_castsi512_ps(first), _mm512_castsi512_ps(second)};
  }
  static F DotBf16(F sum, const Bf16Pairs& w, const Bf16Pairs& a) noexcept {
    return Fma(a.second, w.second, Fma(a.first, w.first, sum));
  }
};
