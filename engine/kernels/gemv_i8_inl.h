// The 8-bit product for few rows, as when text is generated: bound by reading the weights once.
// Written over a vector type V; included inside the target region after gemm_i8_inl.h.
//
// A core reads faster from several places at a time (measured on one: 11 GB/s from one stream, 15
// from four), so a block is taken from each of four panels in turn, far apart in memory. Codes are
// widened in registers on their way into the product, a quarter of a block at a time. Sums are
// taken in the order of gemm_i8_inl.h, so that a row gives the same bits in both.

constexpr size_t kStreams = 4;
constexpr size_t kStreamAhead = 4608;  // of prefetches: a long record

/// What distinguishes the inner loops; formats alike in these share one. Codes below 64 are
/// multiplied as they are, and the product of their zero taken off the sum beforehand.
template <size_t kLowBits, size_t kHighBits, CodeForm kForm, size_t kZeroCode, bool kHasHalves>
struct CodeShape {
  static constexpr size_t kLow = kLowBits;
  static constexpr size_t kHigh = kHighBits;
  static constexpr CodeForm kCodes = kForm;
  static constexpr int32_t kZero = kZeroCode;
  static constexpr bool kHalves = kHasHalves;  // a scale for every 16 values
  static constexpr bool kSmall = kLow != 8 && kForm != CodeForm::kTable;
  static constexpr size_t kCodeBytes = kPanelWidth * kQuantBlock * (kLow + kHigh) / 8;
};

// One record's widened scales.
struct RecordScales {
  float scales[kMaxRecordBlocks][2][kPanelWidth];
  float mins[kMaxRecordBlocks][2][kPanelWidth];
};

// Where the pack's rows of activations are, at a record's first value.
struct StreamRows {
  const int8_t* a;
  size_t lda;
  const ActivationBlock* blocks;
  size_t row_blocks;  // from one row's to the next
};

// Codes [256 * kQuarter + at, .. + kBytes) of a block as the product takes them.
template <class V, class Shape, size_t kQuarter>
static inline auto StreamCodes(const uint8_t* codes, typename V::B table, size_t at) noexcept {
  if constexpr (Shape::kLow == 8) {
    return V::template Codes<false>(codes + kQuarter * 256 + at);
  } else {
    const auto raw = QuarterCodes<V, Shape::kLow, Shape::kHigh, kQuarter>(
        codes, codes + kBlockCodes / 8 * Shape::kLow, at);
    if constexpr (Shape::kSmall) return V::template FromBytes<true>(raw);
    if constexpr (!Shape::kSmall) return V::template FromBytes<false>(V::Lookup(table, raw));
  }
}

// What a sum begins with; `start` makes up for codes that stand for value + 128.
template <class V, class Shape>
static inline typename V::I StreamStart(const int32_t* start) noexcept {
  if constexpr (!Shape::kSmall) return V::template Start<false>(start);
  if constexpr (Shape::kSmall && Shape::kZero == 0) return typename V::I{};
  const int32_t zeros = *start / 128 * Shape::kZero;
  return V::SetI(zeros);
}

// Two quads of a block, two vectors of columns from byte `lane` of a quad on.
template <class V, class Shape, size_t kQuarter, size_t... kRow>
static inline void DotQuarter(RowPack<kRow...>, const uint8_t* codes, typename V::B table,
                              size_t lane, const StreamRows& rows, size_t block,
                              typename V::I* left, typename V::I* right) noexcept {
  const int8_t* a = rows.a + block * kQuantBlock + kQuarter * 8;
  const auto quad = [&](size_t at, const int8_t* x) {
    const auto w_left = StreamCodes<V, Shape, kQuarter>(codes, table, at);
    const auto w_right = StreamCodes<V, Shape, kQuarter>(codes, table, at + V::kBytes);
    const auto step = [&](const int8_t* own, typename V::I& l, typename V::I& r) {
      const auto four = V::Four(own);
      l = V::template DotFour<Shape::kSmall>(l, w_left, four);
      r = V::template DotFour<Shape::kSmall>(r, w_right, four);
    };
    (step(x + kRow * rows.lda, left[kRow], right[kRow]), ...);
  };
  quad(lane, a);
  quad(kQuadBytes + lane, a + 4);
}

// The part of a block that shares a scale: all of it, or half kHalf.
template <class V, class Shape, size_t kHalf, size_t... kRow>
static inline void DotPart(RowPack<kRow...> pack, const uint8_t* codes, typename V::B table,
                           size_t lane, const StreamRows& rows, size_t block,
                           const RecordScales& wide, TileSums<V>* sums) noexcept {
  const ActivationBlock* meta = rows.blocks + block;
  const size_t step = rows.row_blocks;
  typename V::I left[] = {StreamStart<V, Shape>(
      Shape::kHalves ? &meta[kRow * step].start_halves[kHalf] : &meta[kRow * step].start)...};
  typename V::I right[] = {left[kRow]...};
  if constexpr (!Shape::kHalves || kHalf == 0) {
    DotQuarter<V, Shape, 0>(pack, codes, table, lane, rows, block, left, right);
    DotQuarter<V, Shape, 1>(pack, codes, table, lane, rows, block, left, right);
  }
  if constexpr (!Shape::kHalves || kHalf == 1) {
    DotQuarter<V, Shape, 2>(pack, codes, table, lane, rows, block, left, right);
    DotQuarter<V, Shape, 3>(pack, codes, table, lane, rows, block, left, right);
  }
  const size_t column = lane / 4;
  const float* scales = wide.scales[block][kHalf] + column;
  (AddProducts<V>(meta[kRow * step].scale, left[kRow], right[kRow], V::Load(scales),
                  V::Load(scales + V::kLanes), sums[kRow]),
   ...);
  if constexpr (Shape::kCodes == CodeForm::kAffine) {
    AddMins<V, Shape::kHalves, kHalf>(pack, meta, step, wide.mins[block][kHalf] + column, sums);
  }
}

// One record of one panel. sums [pack, 32].
template <class V, class Shape, size_t... kRow>
static inline void StreamRecord(RowPack<kRow...> pack, const PanelFormat& format,
                                const uint8_t* record, typename V::B table, const StreamRows& rows,
                                float (*sums)[kPanelWidth]) noexcept {
  RecordScales wide;
  for (size_t lane = 0; lane < kPanelWidth; lane += V::kLanes) {
    WidenScaleLanes<V>(format.scales, record, lane, wide.scales, wide.mins);
  }
  for (size_t at = 0; at < format.header_bytes; at += 64) V::Prefetch(record + kStreamAhead + at);
  const uint8_t* codes = record + format.header_bytes;
  for (size_t block = 0; block < format.record_blocks; ++block, codes += Shape::kCodeBytes) {
    for (size_t at = 0; at < Shape::kCodeBytes; at += 64) V::Prefetch(codes + kStreamAhead + at);
    for (size_t column = 0; column < kPanelWidth; column += 2 * V::kLanes) {
      TileSums<V> part[] = {
          TileSums<V>{V::Load(sums[kRow] + column), V::Load(sums[kRow] + column + V::kLanes)}...};
      DotPart<V, Shape, 0>(pack, codes, table, column * 4, rows, block, wide, part);
      if constexpr (Shape::kHalves) {
        DotPart<V, Shape, 1>(pack, codes, table, column * 4, rows, block, wide, part);
      }
      ((V::Store(sums[kRow] + column, part[kRow].left),
        V::Store(sums[kRow] + column + V::kLanes, part[kRow].right)),
       ...);
    }
  }
}

// The pack's rows with up to kStreams panels from column `first` on.
template <class V, class Shape, size_t... kRow>
static void StreamPanels(RowPack<kRow...> pack, const GemmI8& op, size_t first) noexcept {
  const PanelFormat& format = kPanelFormats[static_cast<size_t>(op.kind)];
  const size_t records = op.k / kQuantBlock / format.record_blocks;
  const size_t panel_bytes = records * format.record_bytes;
  const size_t end = op.n - first < kStreams * kPanelWidth ? op.n : first + kStreams * kPanelWidth;
  float sums[kStreams][sizeof...(kRow)][kPanelWidth];
  const auto columns = [&](const auto& body) {  // body(panel, column, vector's own columns)
    for (size_t col = first; col < end; col += V::kLanes) {
      body((col - first) / kPanelWidth, col, V::FirstN(end - col));
    }
  };
  columns([&](size_t panel, size_t col, auto mask) {
    const auto bias = op.bias != nullptr ? V::LoadMasked(op.bias + col, mask) : V::Set(0.0f);
    const auto begin = [&](size_t row) {
      auto sum = bias;
      if (op.accumulate) sum = V::Add(sum, V::LoadMasked(op.c + row * op.ldc + col, mask));
      V::Store(sums[panel][row] + (col - first) % kPanelWidth, sum);
    };
    (begin(kRow), ...);
  });
  const auto table = ShiftOf<V>(format);
  StreamRows rows = {op.a, op.lda, op.blocks, op.k / kQuantBlock};
  const uint8_t* at = op.panels + first / kPanelWidth * panel_bytes;
  for (size_t record = 0; record < records; ++record, at += format.record_bytes) {
    for (size_t panel = 0; first + panel * kPanelWidth < end; ++panel) {
      StreamRecord<V, Shape>(pack, format, at + panel * panel_bytes, table, rows, sums[panel]);
    }
    rows.a += format.record_blocks * kQuantBlock;
    rows.blocks += format.record_blocks;
  }
  columns([&](size_t panel, size_t col, auto mask) {
    (V::StoreMasked(op.c + kRow * op.ldc + col, mask,
                    V::Load(sums[panel][kRow] + (col - first) % kPanelWidth)),
     ...);
  });
}

template <class V, class Shape>
static void StreamRowsOf(const GemmI8& op) noexcept {
  TileOfRows<V::kStreamRows>(op.m, [&](auto pack) {
    for (size_t first = 0; first < op.n; first += kStreams * kPanelWidth) {
      StreamPanels<V, Shape>(pack, op, first);
    }
  });
}

// REQUIRES op.m <= V::kStreamRows.
template <class V>
static void GemvI8(const GemmI8& op) noexcept {
  constexpr auto kAffine = CodeForm::kAffine;
  constexpr auto kShifted = CodeForm::kShifted;
  switch (op.kind) {
    case PanelKind::kQ8:
    case PanelKind::kQ8Wide:
      return StreamRowsOf<V, CodeShape<8, 0, kShifted, 128, false>>(op);
    case PanelKind::kQ4:
      return StreamRowsOf<V, CodeShape<4, 0, kShifted, 8, false>>(op);
    case PanelKind::kIq4Nl:
    case PanelKind::kMxfp4:
    case PanelKind::kIq4Xs:
      return StreamRowsOf<V, CodeShape<4, 0, CodeForm::kTable, 0, false>>(op);
    case PanelKind::kQ4Min:
    case PanelKind::kQ4K:
      return StreamRowsOf<V, CodeShape<4, 0, kAffine, 0, false>>(op);
    case PanelKind::kQ5:
      return StreamRowsOf<V, CodeShape<4, 1, kShifted, 16, false>>(op);
    case PanelKind::kQ5Min:
    case PanelKind::kQ5K:
      return StreamRowsOf<V, CodeShape<4, 1, kAffine, 0, false>>(op);
    case PanelKind::kQ2K:
      return StreamRowsOf<V, CodeShape<2, 0, kAffine, 0, true>>(op);
    case PanelKind::kQ3K:
      return StreamRowsOf<V, CodeShape<2, 1, kShifted, 4, true>>(op);
    case PanelKind::kQ6K:
      return StreamRowsOf<V, CodeShape<4, 2, kShifted, 32, true>>(op);
  }
}

template <class V>
static void GemmI8Rows(const GemmI8& op) noexcept {
  if (op.m <= V::kStreamRows) return GemvI8<V>(op);
  GemmI8Panels<V>(op);
}
