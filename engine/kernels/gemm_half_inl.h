// The products with 16-bit weights, written once over a vector type V: f16 widened in registers,
// and bf16 without the bf16 instructions. Included inside the target region after gemm_inl.h.

constexpr size_t kHalfPrefetch = 2048;  // values ahead of what is read

// A tile's sums in registers, and how they begin and end; see Tile of gemm_inl.h.
template <class V, size_t... kRow>
static void Tile(RowPack<kRow...>, const GemmF16& op, const float* a, const uint16_t* panel,
                 const float* bias, float* c, size_t n) noexcept {
  const auto zero = V::Set(0.0f);
  typename V::F left[] = {((void)kRow, zero)...};
  typename V::F right[] = {((void)kRow, zero)...};
  const size_t lda = op.lda;
  const size_t k = op.k;
  for (size_t i = 0; i < k; ++i) {
    const auto w_left = V::LoadF16(panel + i * kPanelWidth);
    const auto w_right = V::LoadF16(panel + i * kPanelWidth + V::kLanes);
    ((left[kRow] = V::Fma(V::Set(a[kRow * lda + i]), w_left, left[kRow]),
      right[kRow] = V::Fma(V::Set(a[kRow * lda + i]), w_right, right[kRow])),
     ...);
  }
  const auto columns = LoadColumns<V>(bias, n);
  (Finish<V>(columns, op.accumulate, left[kRow], right[kRow], c + kRow * op.ldc), ...);
}

template <class V, size_t... kRow>
static void Tile(RowPack<kRow...>, const GemmBf16& op, const uint16_t* a, const uint16_t* panel,
                 const float* bias, float* c, size_t n) noexcept {
  const auto zero = V::Set(0.0f);
  typename V::F left[] = {((void)kRow, zero)...};
  typename V::F right[] = {((void)kRow, zero)...};
  const size_t lda = op.lda;
  const size_t k = op.k;
  for (size_t i = 0; i < k; i += kPair) {
    const auto w_left = V::LoadBf16Pairs(panel + i * kPanelWidth);
    const auto w_right = V::LoadBf16Pairs(panel + i * kPanelWidth + V::kLanes * kPair);
    const auto step = [&](const uint16_t* x, typename V::F& l, typename V::F& r) {
      const auto pair = V::Bf16Pair(x);
      l = V::DotBf16(l, w_left, pair);
      r = V::DotBf16(r, w_right, pair);
    };
    (step(a + kRow * lda + i, left[kRow], right[kRow]), ...);
  }
  const auto columns = LoadColumns<V>(bias, n);
  (Finish<V>(columns, op.accumulate, left[kRow], right[kRow], c + kRow * op.ldc), ...);
}

// --- one row: bound by reading the weights, from several places at a time (gemv_i8_inl.h) --------

// Pairs of vectors that a row is multiplied with at a time: four panels of V16, two of V8.
constexpr size_t kStreamPairs = 4;

template <class V, size_t kInterleave>
static inline const uint16_t* PanelOf(const uint16_t* panels, size_t k, size_t col) noexcept {
  const size_t in_panel = col % kPanelWidth;
  return panels + (col - in_panel) * k + in_panel * kInterleave;
}

template <class V>
static inline void Step(const GemmF16& op, const uint16_t* panel, size_t i, typename V::F& left,
                        typename V::F& right) noexcept {
  const auto x = V::Set(op.a[i]);
  const uint16_t* at = panel + i * kPanelWidth;
  V::Prefetch(at + kHalfPrefetch);
  left = V::Fma(x, V::LoadF16(at), left);
  right = V::Fma(x, V::LoadF16(at + V::kLanes), right);
}

template <class V>
static inline void Step(const GemmBf16& op, const uint16_t* panel, size_t i, typename V::F& left,
                        typename V::F& right) noexcept {
  const auto x = V::Bf16Pair(op.a + i);
  const uint16_t* at = panel + i * kPanelWidth;
  V::Prefetch(at + kHalfPrefetch);
  V::Prefetch(at + kHalfPrefetch + kPanelWidth);
  left = V::DotBf16(left, V::LoadBf16Pairs(at), x);
  right = V::DotBf16(right, V::LoadBf16Pairs(at + V::kLanes * kPair), x);
}

// Columns [col, col + kStreamPairs * 2 * kLanes).
template <class V, size_t kInterleave, class Op, size_t... kPairIdx>
static void StreamTile(RowPack<kPairIdx...>, const Op& op, size_t col) noexcept {
  constexpr size_t kWidth = 2 * V::kLanes;
  const uint16_t* panels[] = {PanelOf<V, kInterleave>(op.panels, op.k, col + kPairIdx * kWidth)...};
  const auto zero = V::Set(0.0f);
  typename V::F left[] = {((void)kPairIdx, zero)...};
  typename V::F right[] = {((void)kPairIdx, zero)...};
  for (size_t i = 0; i < op.k; i += kInterleave) {
    (Step<V>(op, panels[kPairIdx], i, left[kPairIdx], right[kPairIdx]), ...);
  }
  const auto finish = [&](size_t at, typename V::F l, typename V::F r) {
    const auto columns = LoadColumns<V>(op.bias != nullptr ? op.bias + at : nullptr, kWidth);
    Finish<V>(columns, op.accumulate, l, r, op.c + at);
  };
  (finish(col + kPairIdx * kWidth, left[kPairIdx], right[kPairIdx]), ...);
}

// --- many rows -----------------------------------------------------------------------------------

// A panel of k = 8192 is 512 kB: like a chunk of the 8-bit product it is used by a block of rows
// while it is in the cache. Panels are the outer loop, all rows pass by.
template <class V, class Op>
static void GemmHalf(const Op& op) noexcept {
  constexpr size_t kInterleave = sizeof(op.a[0]) == sizeof(uint16_t) ? kPair : 1;
  constexpr size_t kWidth = 2 * V::kLanes;
  const size_t num_tiles = NumTiles<V>(op.m);
  size_t col = 0;
  if (op.m == 1) {
    for (; col + kStreamPairs * kWidth <= op.n; col += kStreamPairs * kWidth) {
      StreamTile<V, kInterleave>(typename RowsOf<kStreamPairs>::Type{}, op, col);
    }
  }
  for (; col < op.n; col += kWidth) {
    const size_t n = op.n - col < kWidth ? op.n - col : kWidth;
    const uint16_t* panel = PanelOf<V, kInterleave>(op.panels, op.k, col);
    const float* bias = op.bias != nullptr ? op.bias + col : nullptr;
    size_t row = 0;
    for (size_t t = 0; t < num_tiles; ++t) {
      const size_t rows = op.m * (t + 1) / num_tiles - row;
      TileOfRows<V::kTileRows>(rows, [&](auto pack) {
        Tile<V>(pack, op, op.a + row * op.lda, panel, bias, op.c + row * op.ldc + col, n);
      });
      row += rows;
    }
  }
}

// To nearest even in integer arithmetic: the bf16 instructions would flush subnormals.
template <class V>
static void F32ToBf16(const float* x, size_t n, uint16_t* y) noexcept {
  for (size_t i = 0; i < n; ++i) {
    uint32_t bits;
    __builtin_memcpy(&bits, x + i, sizeof(bits));
    const uint32_t rounded = bits + 0x7FFFu + ((bits >> 16) & 1u);
    const bool nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
    y[i] = static_cast<uint16_t>(nan ? (bits >> 16) | 64u : rounded >> 16);
  }
}
