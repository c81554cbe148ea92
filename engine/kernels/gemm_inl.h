// The matrix products, written once over a vector type V. Included inside a target region.
//
// Register blocking: a tile of up to V::kTileRows rows by two vectors of columns stays in
// registers over the whole depth (f32) or one scale group of it (integers); each step loads two
// weight vectors and broadcasts every row's activation, so a tile does kTileRows * 2
// multiply-adds for kTileRows + 2 loads. Panels are the outer loop: a panel (up to 48 kB) stays in
// the first cache while all rows pass by.

template <class V>
struct Columns {  // the two vectors of columns of a tile
  typename V::F bias_left, bias_right;
  decltype(V::FirstN(0)) mask_left, mask_right;
};

template <class V>
static inline Columns<V> LoadColumns(const float* bias, size_t n) noexcept {
  Columns<V> columns = {V::Set(0.0f), V::Set(0.0f), V::FirstN(n),
                        V::FirstN(n > V::kLanes ? n - V::kLanes : 0)};
  if (bias != nullptr) {
    columns.bias_left = V::LoadMasked(bias, columns.mask_left);
    columns.bias_right = V::LoadMasked(bias + V::kLanes, columns.mask_right);
  }
  return columns;
}

template <class V>
static inline void Finish(const Columns<V>& columns, bool accumulate, typename V::F left,
                          typename V::F right, float* c) noexcept {
  left = V::Add(left, columns.bias_left);
  right = V::Add(right, columns.bias_right);
  if (accumulate) {
    left = V::Add(left, V::LoadMasked(c, columns.mask_left));
    right = V::Add(right, V::LoadMasked(c + V::kLanes, columns.mask_right));
  }
  V::StoreMasked(c, columns.mask_left, left);
  V::StoreMasked(c + V::kLanes, columns.mask_right, right);
}

// --- f32 -----------------------------------------------------------------------------------------

// One tile: the pack's rows of a and c, columns [0, n) of the panel, n <= 2 * kLanes.
template <class V, size_t... kRow>
static void Tile(RowPack<kRow...>, const GemmF32& op, const float* a, const float* panel,
                 const float* bias, float* c, size_t n) noexcept {
  const auto zero = V::Set(0.0f);
  typename V::F left[] = {((void)kRow, zero)...};
  typename V::F right[] = {((void)kRow, zero)...};
  const size_t lda = op.lda;
  const size_t k = op.k;
  for (size_t i = 0; i < k; ++i) {
    const auto w_left = V::Load(panel + i * kPanelWidth);
    const auto w_right = V::Load(panel + i * kPanelWidth + V::kLanes);
    ((left[kRow] = V::Fma(V::Set(a[kRow * lda + i]), w_left, left[kRow]),
      right[kRow] = V::Fma(V::Set(a[kRow * lda + i]), w_right, right[kRow])),
     ...);
  }
  const auto columns = LoadColumns<V>(bias, n);
  (Finish<V>(columns, op.accumulate, left[kRow], right[kRow], c + kRow * op.ldc), ...);
}

// --- integers ------------------------------------------------------------------------------------

// One scale group of a tile: between groups the f32 totals live in c.
struct Group {
  const float* a_scale;   // of the tile's first row; rows num_groups apart
  const float* a_offset;  // likewise
  const float* w_scale;   // [2 * kLanes]
  const float* w_sum;     // [2 * kLanes]
  size_t num_groups;
  bool accumulate;
};

template <class V>
struct Factors {  // of the two vectors of columns
  typename V::F scale_left, scale_right, sum_left, sum_right;
};

template <class V>
static inline void FinishGroup(const Columns<V>& columns, const Factors<V>& factors, float a_scale,
                               float a_offset, bool accumulate, typename V::I left,
                               typename V::I right, float* c) noexcept {
  const auto scale = V::Set(a_scale);
  const auto offset = V::Set(a_offset);
  const auto y_left =
      V::Fma(V::ToF32(left), V::Mul(scale, factors.scale_left), V::Mul(offset, factors.sum_left));
  const auto y_right = V::Fma(V::ToF32(right), V::Mul(scale, factors.scale_right),
                              V::Mul(offset, factors.sum_right));
  Finish<V>(columns, accumulate, y_left, y_right, c);
}

template <class V, size_t... kRow>
static void Tile(RowPack<kRow...>, const GemmI16& op, const Group& group, const int16_t* a,
                 const int16_t* panel, const float* bias, float* c, size_t n) noexcept {
  typename V::I left[] = {((void)kRow, typename V::I{})...};
  typename V::I right[] = {((void)kRow, typename V::I{})...};
  const size_t lda = op.lda;
  const size_t depth = op.group;
  for (size_t i = 0; i < depth; i += kPair) {
    const auto w_left = V::LoadPairs(panel + i * kPanelWidth);
    const auto w_right = V::LoadPairs(panel + i * kPanelWidth + V::kLanes * kPair);
    ((left[kRow] = V::DotPair(left[kRow], a + kRow * lda + i, w_left),
      right[kRow] = V::DotPair(right[kRow], a + kRow * lda + i, w_right)),
     ...);
  }
  const auto columns = LoadColumns<V>(bias, n);
  const Factors<V> factors = {V::Load(group.w_scale), V::Load(group.w_scale + V::kLanes),
                              V::Load(group.w_sum), V::Load(group.w_sum + V::kLanes)};
  (FinishGroup<V>(columns, factors, group.a_scale[kRow * group.num_groups],
                  group.a_offset[kRow * group.num_groups], group.accumulate, left[kRow],
                  right[kRow], c + kRow * op.ldc),
   ...);
}

// --- tiles over a matrix -------------------------------------------------------------------------

// Calls body with the pack of a run-time number of rows in [1, kRows].
template <size_t kRows, class Body>
static inline void TileOfRows(size_t rows, const Body& body) noexcept {
  if constexpr (kRows > 1) {
    if (rows < kRows) {
      TileOfRows<kRows - 1>(rows, body);
      return;
    }
  }
  body(typename RowsOf<kRows>::Type{});
}

// Rows are shared out evenly over the tiles: 13 rows are 7 + 6, not 12 + 1.
template <class V>
static inline size_t NumTiles(size_t m) noexcept {
  return (m + V::kTileRows - 1) / V::kTileRows;
}

template <class V>
static void GemmFloat(const GemmF32& op) noexcept {
  constexpr size_t kWidth = 2 * V::kLanes;
  const size_t num_tiles = NumTiles<V>(op.m);
  for (size_t col = 0; col < op.n; col += kWidth) {
    const size_t in_panel = col % kPanelWidth;
    const float* panel = op.panels + (col - in_panel) * op.k + in_panel;
    const float* bias = op.bias != nullptr ? op.bias + col : nullptr;
    const size_t n = op.n - col < kWidth ? op.n - col : kWidth;
    size_t row = 0;
    for (size_t t = 0; t < num_tiles; ++t) {
      const size_t rows = op.m * (t + 1) / num_tiles - row;
      const float* a = op.a + row * op.lda;
      float* c = op.c + row * op.ldc + col;
      TileOfRows<V::kTileRows>(rows, [&](auto pack) { Tile<V>(pack, op, a, panel, bias, c, n); });
      row += rows;
    }
  }
}

// Columns [col, col + n) of one group, all rows.
template <class V>
static void GroupColumns(const GemmI16& op, size_t col, size_t n, size_t group_idx) noexcept {
  const size_t num_groups = op.k / op.group;
  const size_t num_tiles = NumTiles<V>(op.m);
  const size_t in_panel = col % kPanelWidth;
  const size_t first = col - in_panel;
  const size_t depth = group_idx * op.group;
  const int16_t* panel = op.panels + first * op.k + depth * kPanelWidth + in_panel * kPair;
  const float* bias = op.bias != nullptr && group_idx == 0 ? op.bias + col : nullptr;
  const size_t factors = first * num_groups + group_idx * kPanelWidth + in_panel;
  size_t row = 0;
  for (size_t t = 0; t < num_tiles; ++t) {
    const size_t rows = op.m * (t + 1) / num_tiles - row;
    const size_t at = row * num_groups + group_idx;
    const Group group = {op.a_scale + at,    op.a_offset + at, op.w_scale + factors,
                         op.w_sum + factors, num_groups,       op.accumulate || group_idx > 0};
    const int16_t* a = op.a + row * op.lda + depth;
    float* c = op.c + row * op.ldc + col;
    TileOfRows<V::kTileRows>(rows,
                             [&](auto pack) { Tile<V>(pack, op, group, a, panel, bias, c, n); });
    row += rows;
  }
}

template <class V>
static void GemmInteger(const GemmI16& op) noexcept {
  constexpr size_t kWidth = 2 * V::kLanes;
  const size_t num_groups = op.k / op.group;
  for (size_t col = 0; col < op.n; col += kWidth) {
    const size_t n = op.n - col < kWidth ? op.n - col : kWidth;
    for (size_t g = 0; g < num_groups; ++g) GroupColumns<V>(op, col, n, g);
  }
}
