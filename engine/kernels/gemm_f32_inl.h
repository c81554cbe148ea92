// The f32 matrix product, written once over a vector type V. Included inside a target region.
//
// Register blocking: a tile of up to V::kTileRows rows by two vectors of columns stays in
// registers over the whole depth k; per step of k two weight vectors are loaded and every row's
// activation is broadcast, so a tile does kTileRows * 2 multiply-adds for kTileRows + 2 loads.
// Panels are the outer loop: a panel (k * 128 bytes) stays in the first cache while all rows pass.

template <class V>
struct ColumnsF32 {  // the two vectors of columns of a tile
  typename V::F bias_left, bias_right;
  decltype(V::FirstN(0)) mask_left, mask_right;
};

template <class V>
static inline void FinishF32(const ColumnsF32<V>& columns, bool accumulate, typename V::F left,
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

// One tile: the rows of the pack of a and c, columns [0, n) of the panel, n <= 2 * kLanes.
template <class V, size_t... kRow>
static void TileF32(RowPack<kRow...>, const GemmF32& op, const float* a, const float* panel,
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
  ColumnsF32<V> columns = {zero, zero, V::FirstN(n), V::FirstN(n > V::kLanes ? n - V::kLanes : 0)};
  if (bias != nullptr) {
    columns.bias_left = V::LoadMasked(bias, columns.mask_left);
    columns.bias_right = V::LoadMasked(bias + V::kLanes, columns.mask_right);
  }
  (FinishF32<V>(columns, op.accumulate, left[kRow], right[kRow], c + kRow * op.ldc), ...);
}

// Picks the instantiation for a run-time number of rows in [1, kRows].
template <class V, size_t kRows>
static void TileF32Rows(size_t rows, const GemmF32& op, const float* a, const float* panel,
                        const float* bias, float* c, size_t n) noexcept {
  if constexpr (kRows > 1) {
    if (rows < kRows) {
      TileF32Rows<V, kRows - 1>(rows, op, a, panel, bias, c, n);
      return;
    }
  }
  TileF32<V>(typename RowsOf<kRows>::Type{}, op, a, panel, bias, c, n);
}

template <class V>
static void Gemm(const GemmF32& op) noexcept {
  if (op.m == 0) return;
  constexpr size_t kWidth = 2 * V::kLanes;
  // Rows are shared out evenly over the tiles: 13 rows are 7 + 6, not 12 + 1.
  const size_t num_tiles = (op.m + V::kTileRows - 1) / V::kTileRows;
  for (size_t col = 0; col < op.n; col += kWidth) {
    const size_t in_panel = col % kPanelWidth;
    const float* panel = op.panels + (col - in_panel) * op.k + in_panel;
    const float* bias = op.bias != nullptr ? op.bias + col : nullptr;
    const size_t n = op.n - col < kWidth ? op.n - col : kWidth;
    size_t row = 0;
    for (size_t t = 0; t < num_tiles; ++t) {
      const size_t rows = op.m * (t + 1) / num_tiles - row;
      TileF32Rows<V, V::kTileRows>(rows, op, op.a + row * op.lda, panel, bias,
                                   op.c + row * op.ldc + col, n);
      row += rows;
    }
  }
}
