// The product of weights in few bits with 8-bit activations, written once over a vector type V.
// Included inside the target region after gemm_inl.h.
//
// A chunk of one panel (32 columns, up to 512 of k) is widened into a scratch of unsigned bytes and
// f32 scales that stays in the first cache, then multiplied with all rows, a tile of them at a
// time: whatever the format, there is one inner loop, and at 512 rows widening costs 1 %. Signed
// weights are widened to value + 128, because vpdpbusd takes one unsigned side;
// ActivationBlock::start makes up for that. A tile holds its integer and its f32 sums in registers.

constexpr size_t kBlockCodes = kPanelWidth * kQuantBlock;
constexpr size_t kQuadBytes = kPanelWidth * 4;
constexpr size_t kChunkBlocks = 16;
constexpr size_t kPrefetchBytes = 4096;  // ahead of what is read: some 200 ns of a stream

struct alignas(64) WideChunk {
  uint8_t codes[kChunkBlocks][kBlockCodes];
  float scales[kChunkBlocks][2][kPanelWidth];  // [1]: of the last 16 values, if they have their own
  float mins[kChunkBlocks][2][kPanelWidth];    // added once per value; affine formats only
};

// --- widening ------------------------------------------------------------------------------------

// Codes [256 * kQuarter, 256 * (kQuarter + 1)) of a block.
template <class V, size_t kLow, size_t kHigh, size_t kQuarter>
static inline typename V::B QuarterCodes(const uint8_t* low, const uint8_t* high,
                                         size_t at) noexcept {
  if constexpr (kLow == 4) {
    const auto bytes =
        V::template ShiftRight<kQuarter / 2 * 4>(V::LoadBytes(low + kQuarter % 2 * 256 + at));
    if constexpr (kHigh == 2) {
      auto crumbs = V::LoadBytes(high + at);  // to bits 4 and 5
      if constexpr (kQuarter < 2) crumbs = V::template ShiftLeft<4 - 2 * kQuarter>(crumbs);
      if constexpr (kQuarter == 3) crumbs = V::template ShiftRight<2>(crumbs);
      return V::And(V::SelectBits(V::Byte(0x0F), bytes, crumbs), V::Byte(0x3F));
    } else {
      const auto nibbles = V::And(bytes, V::Byte(0x0F));
      if constexpr (kHigh == 0) return nibbles;
      if constexpr (kHigh == 1) {
        return V::AddWhere(nibbles, high + (kQuarter * 256 + at) / 8, V::Byte(0x10));
      }
    }
  } else {
    const auto bytes = V::LoadBytes(low + at);
    const auto crumbs = V::And(V::template ShiftRight<kQuarter * 2>(bytes), V::Byte(0x03));
    if constexpr (kHigh == 1) {
      return V::AddWhere(crumbs, high + (kQuarter * 256 + at) / 8, V::Byte(0x04));
    } else {
      return crumbs;
    }
  }
}

template <class V, size_t kLow, size_t kHigh, size_t... kQuarter, class Meaning>
static inline void WidenCodes(RowPack<kQuarter...>, const uint8_t* low, uint8_t* out,
                              const Meaning& meaning) noexcept {
  const uint8_t* high = low + kBlockCodes / 8 * kLow;
  for (size_t at = 0; at < 256; at += V::kBytes) {
    (V::StoreBytes(out + kQuarter * 256 + at,
                   meaning(QuarterCodes<V, kLow, kHigh, kQuarter>(low, high, at))),
     ...);
  }
}

// What a code is shifted or looked up by to become unsigned.
template <class V>
static inline typename V::B ShiftOf(const PanelFormat& format) noexcept {
  if (format.codes == CodeForm::kTable) return V::AddBytes(V::Table(format.levels), V::Byte(128));
  return V::Byte(static_cast<uint8_t>(128 - format.zero));
}

template <class V, size_t kLow, size_t kHigh>
static inline void WidenBlock(const PanelFormat& format, const uint8_t* codes,
                              uint8_t* out) noexcept {
  using Quarters = typename RowsOf<4>::Type;
  if (format.codes == CodeForm::kAffine) {
    WidenCodes<V, kLow, kHigh>(Quarters{}, codes, out, [](auto code) { return code; });
  } else {
    const auto shift = ShiftOf<V>(format);
    WidenCodes<V, kLow, kHigh>(Quarters{}, codes, out,
                               [&](auto code) { return V::AddBytes(code, shift); });
  }
}

template <class V>
static inline void WidenTable(const PanelFormat& format, const uint8_t* codes,
                              uint8_t* out) noexcept {
  const auto table = ShiftOf<V>(format);
  WidenCodes<V, 4, 0>(typename RowsOf<4>::Type{}, codes, out,
                      [&](auto code) { return V::Lookup(table, code); });
}

// The codes of num_blocks blocks of one record.
template <class V>
static void WidenRecord(const PanelFormat& format, const uint8_t* codes, uint8_t* out) noexcept {
  const size_t bits = format.low_bits * 16u + format.high_bits;
  for (size_t i = 0; i < format.record_blocks; ++i) {
    for (size_t at = 0; at < format.code_bytes; at += 64) V::Prefetch(codes + at + kPrefetchBytes);
    if (format.codes == CodeForm::kTable) {
      WidenTable<V>(format, codes, out);
    } else if (bits == 0x40) {
      WidenBlock<V, 4, 0>(format, codes, out);
    } else if (bits == 0x41) {
      WidenBlock<V, 4, 1>(format, codes, out);
    } else if (bits == 0x42) {
      WidenBlock<V, 4, 2>(format, codes, out);
    } else if (bits == 0x20) {
      WidenBlock<V, 2, 0>(format, codes, out);
    } else {
      WidenBlock<V, 2, 1>(format, codes, out);
    }
    codes += format.code_bytes;
    out += kBlockCodes;
  }
}

// The scales of one record, for the lanes from `lane` on; header and out point at its first block.
template <class V>
static inline void WidenScaleLanes(ScaleForm form, const uint8_t* header, size_t lane,
                                   float (*scales)[2][kPanelWidth],
                                   float (*mins)[2][kPanelWidth]) noexcept {
  constexpr size_t kW = kPanelWidth;
  const auto half = [&](size_t field) {
    return V::LoadF16(reinterpret_cast<const uint16_t*>(header) + field * kW + lane);
  };
  if (form == ScaleForm::kBf16) {
    V::Store(&scales[0][0][lane], V::LoadBf16(reinterpret_cast<const uint16_t*>(header) + lane));
    return;
  }
  const auto d = half(0);
  switch (form) {
    case ScaleForm::kBf16:
      break;
    case ScaleForm::kF16:
      V::Store(&scales[0][0][lane], d);
      break;
    case ScaleForm::kF16Min:
      V::Store(&scales[0][0][lane], d);
      V::Store(&mins[0][0][lane], half(1));
      break;
    case ScaleForm::kSixBit: {
      const auto dmin = V::Sub(V::Set(0.0f), half(1));
      for (size_t j = 0; j < kMaxRecordBlocks; ++j) {
        const auto low = V::WidenU8(header + (4 + j) * kW + lane);
        const auto high = V::WidenU8(header + (12 + j / 2) * kW + lane) >> (j % 2 * 4);
        V::Store(&scales[j][0][lane], V::Mul(d, V::ToF32((low & 15) | (high & 3) << 4)));
        V::Store(&mins[j][0][lane], V::Mul(dmin, V::ToF32(low >> 4 | (high & 12) << 2)));
      }
      break;
    }
    case ScaleForm::kNibble: {
      const auto dmin = V::Sub(V::Set(0.0f), half(1));
      for (size_t j = 0; j < 2 * kMaxRecordBlocks; ++j) {
        const auto both = V::WidenU8(header + (4 + j) * kW + lane);
        V::Store(&scales[j / 2][j % 2][lane], V::Mul(d, V::ToF32(both & 15)));
        V::Store(&mins[j / 2][j % 2][lane], V::Mul(dmin, V::ToF32(both >> 4)));
      }
      break;
    }
    case ScaleForm::kInt8:
      for (size_t j = 0; j < kMaxRecordBlocks; ++j) {
        V::Store(&scales[j][0][lane],
                 V::Mul(d, V::ToF32(V::WidenI8(header + (2 + j) * kW + lane))));
      }
      break;
    case ScaleForm::kInt8Half:
      for (size_t j = 0; j < 2 * kMaxRecordBlocks; ++j) {
        V::Store(&scales[j / 2][j % 2][lane],
                 V::Mul(d, V::ToF32(V::WidenI8(header + (2 + j) * kW + lane))));
      }
      break;
  }
}

// --- tiles ---------------------------------------------------------------------------------------

// A tile's rows, and two vectors of columns of a chunk of a panel.
struct ChunkView {
  const int8_t* a;                // of the first row, at the chunk's first value; rows lda apart
  const ActivationBlock* blocks;  // likewise; rows k / 32 apart
  const uint8_t* codes;           // of the first column; blocks code_stride apart
  size_t code_stride;
  const float (*scales)[2][kPanelWidth];  // of the first column
  const float (*mins)[2][kPanelWidth];
  size_t num_blocks;
};

template <class V>
struct TileSums {  // of one row with the two vectors of columns
  typename V::F left, right;
};

template <class V, bool kHalves, size_t kHalf, size_t... kRow>
static inline void AddMins(RowPack<kRow...>, const ActivationBlock* blocks, size_t row_blocks,
                           const float* mins, TileSums<V>* sums) noexcept {
  const auto left = V::Load(mins);
  const auto right = V::Load(mins + V::kLanes);
  const auto add = [&](const ActivationBlock& b, TileSums<V>& sum) {
    // b.sum is of the whole block; a half's follows from its start.
    const float part =
        kHalves ? b.scale * (static_cast<float>(b.start_halves[kHalf]) * (-1.0f / 128)) : b.sum;
    const auto factor = V::Set(part);
    sum.left = V::Fma(left, factor, sum.left);
    sum.right = V::Fma(right, factor, sum.right);
  };
  (add(blocks[kRow * row_blocks], sums[kRow]), ...);
}

// sum += the integers of one row, times their two scales.
template <class V>
static inline void AddProducts(float a_scale, typename V::I left, typename V::I right,
                               typename V::F scale_left, typename V::F scale_right,
                               TileSums<V>& sum) noexcept {
  const auto factor = V::Set(a_scale);
  sum.left = V::Fma(V::Mul(V::ToF32(left), scale_left), factor, sum.left);
  sum.right = V::Fma(V::Mul(V::ToF32(right), scale_right), factor, sum.right);
}

// Adds the kHalf-th scale's part of a block: all of it, or 16 values.
template <class V, bool kAffine, bool kHalves, size_t kHalf, size_t... kRow>
static inline void AddBlock(RowPack<kRow...> rows, const GemmI8& op, const ChunkView& chunk,
                            size_t block, TileSums<V>* sums) noexcept {
  constexpr size_t kQuads = kQuantBlock / 4 / (kHalves ? 2 : 1);
  const size_t row_blocks = op.k / kQuantBlock;
  const ActivationBlock* meta = chunk.blocks + block;
  typename V::I left[] = {V::template Start<kAffine>(
      kHalves ? &meta[kRow * row_blocks].start_halves[kHalf] : &meta[kRow * row_blocks].start)...};
  typename V::I right[] = {left[kRow]...};
  const uint8_t* codes = chunk.codes + block * chunk.code_stride + kHalf * kQuads * kQuadBytes;
  const int8_t* a = chunk.a + block * kQuantBlock + kHalf * kQuads * 4;
  const size_t lda = op.lda;
  for (size_t quad = 0; quad < kQuads; ++quad, codes += kQuadBytes, a += 4) {
    const auto w_left = V::template Codes<kAffine>(codes);
    const auto w_right = V::template Codes<kAffine>(codes + V::kBytes);
    const auto step = [&](const int8_t* x, typename V::I& l, typename V::I& r) {
      const auto four = V::Four(x);
      l = V::template DotFour<kAffine>(l, w_left, four);
      r = V::template DotFour<kAffine>(r, w_right, four);
    };
    (step(a + kRow * lda, left[kRow], right[kRow]), ...);
  }
  const float* scales = chunk.scales[block][kHalf];
  const auto scale_left = V::Load(scales);
  const auto scale_right = V::Load(scales + V::kLanes);
  (AddProducts<V>(meta[kRow * row_blocks].scale, left[kRow], right[kRow], scale_left, scale_right,
                  sums[kRow]),
   ...);
  if constexpr (kAffine) {
    AddMins<V, kHalves, kHalf>(rows, meta, row_blocks, chunk.mins[block][kHalf], sums);
  }
}

// How a tile begins: with bias and what c holds, or, past the first chunk, with c alone.
template <class V>
static inline TileSums<V> LoadSums(const Columns<V>& columns, bool load, const float* c) noexcept {
  TileSums<V> sums = {columns.bias_left, columns.bias_right};
  if (load) {
    sums.left = V::Add(sums.left, V::LoadMasked(c, columns.mask_left));
    sums.right = V::Add(sums.right, V::LoadMasked(c + V::kLanes, columns.mask_right));
  }
  return sums;
}

template <class V, bool kAffine, bool kHalves, size_t... kRow>
static void Tile(RowPack<kRow...> rows, const GemmI8& op, const ChunkView& chunk, const float* bias,
                 bool load, float* c, size_t n) noexcept {
  const auto columns = LoadColumns<V>(bias, n);
  TileSums<V> sums[] = {LoadSums<V>(columns, load, c + kRow * op.ldc)...};
  for (size_t block = 0; block < chunk.num_blocks; ++block) {
    AddBlock<V, kAffine, kHalves, 0>(rows, op, chunk, block, sums);
    if constexpr (kHalves) AddBlock<V, kAffine, kHalves, 1>(rows, op, chunk, block, sums);
  }
  ((V::StoreMasked(c + kRow * op.ldc, columns.mask_left, sums[kRow].left),
    V::StoreMasked(c + kRow * op.ldc + V::kLanes, columns.mask_right, sums[kRow].right)),
   ...);
}

// --- chunks over a matrix
// --------------------------------------------------------------------------

// All rows with one chunk: columns [col, col + n) of c, n <= 32.
template <class V>
static void ChunkRows(const GemmI8& op, ChunkView chunk, size_t first_block, size_t col,
                      size_t n) noexcept {
  const PanelFormat& format = kPanelFormats[static_cast<size_t>(op.kind)];
  const bool affine = format.codes == CodeForm::kAffine;
  const bool halves = format.scales == ScaleForm::kInt8Half || format.scales == ScaleForm::kNibble;
  const float* bias = op.bias != nullptr && first_block == 0 ? op.bias + col : nullptr;
  const bool load = op.accumulate || first_block > 0;
  const size_t row_blocks = op.k / kQuantBlock;
  const size_t num_tiles = (op.m + V::kI8Rows - 1) / V::kI8Rows;
  size_t row = 0;
  for (size_t t = 0; t < num_tiles; ++t) {
    const size_t rows = op.m * (t + 1) / num_tiles - row;
    chunk.a = op.a + row * op.lda + first_block * kQuantBlock;
    chunk.blocks = op.blocks + row * row_blocks + first_block;
    float* c = op.c + row * op.ldc + col;
    TileOfRows<V::kI8Rows>(rows, [&](auto pack) {
      if (affine && halves) return Tile<V, true, true>(pack, op, chunk, bias, load, c, n);
      if (affine) return Tile<V, true, false>(pack, op, chunk, bias, load, c, n);
      if (halves) return Tile<V, false, true>(pack, op, chunk, bias, load, c, n);
      return Tile<V, false, false>(pack, op, chunk, bias, load, c, n);
    });
    row += rows;
  }
}

// Records [record, record + count) of the panel that begins at column `first`.
template <class V>
static void PanelChunk(const GemmI8& op, size_t first, size_t record, size_t count) noexcept {
  const PanelFormat& format = kPanelFormats[static_cast<size_t>(op.kind)];
  const size_t records = op.k / kQuantBlock / format.record_blocks;
  const uint8_t* at = op.panels + (first / kPanelWidth * records + record) * format.record_bytes;
  const bool direct = format.low_bits == 8;  // codes already are as the tiles want them
  WideChunk wide;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* header = at + i * format.record_bytes;
    const size_t block = i * format.record_blocks;
    for (size_t lane = 0; lane < kPanelWidth; lane += V::kLanes) {
      WidenScaleLanes<V>(format.scales, header, lane, wide.scales + block, wide.mins + block);
    }
    V::Prefetch(header + kPrefetchBytes);
    if (direct) {
      for (size_t j = 64; j < format.record_bytes; j += 64) V::Prefetch(header + j + kPrefetchBytes);
    } else {
      WidenRecord<V>(format, header + format.header_bytes, wide.codes[block]);
    }
  }
  for (size_t lane = 0; lane < kPanelWidth && first + lane < op.n; lane += 2 * V::kLanes) {
    const size_t left = op.n - first - lane;
    ChunkView chunk = {};
    chunk.codes = (direct ? at + format.header_bytes : wide.codes[0]) + lane * 4;
    chunk.code_stride = direct ? format.record_bytes : kBlockCodes;
    chunk.scales = reinterpret_cast<const float(*)[2][kPanelWidth]>(&wide.scales[0][0][lane]);
    chunk.mins = reinterpret_cast<const float(*)[2][kPanelWidth]>(&wide.mins[0][0][lane]);
    chunk.num_blocks = count * format.record_blocks;
    ChunkRows<V>(op, chunk, record * format.record_blocks, first + lane,
                 left < 2 * V::kLanes ? left : 2 * V::kLanes);
  }
}

// Few rows: one panel after the other, so that memory is read in one stream, in small chunks, so
// that reading and computing overlap. Many rows: a chunk of their activations (0.8 kB a row) and
// of four panels' sums stay in the second cache while the panels pass by.
template <class V>
static void GemmI8Panels(const GemmI8& op) noexcept {
  constexpr size_t kFewRows = 32;
  constexpr size_t kMaxRows = 512;
  constexpr size_t kManyPanels = 4;
  const PanelFormat& format = kPanelFormats[static_cast<size_t>(op.kind)];
  const size_t records = op.k / kQuantBlock / format.record_blocks;
  const bool few = op.m <= kFewRows;
  const size_t step = (few ? kMaxRecordBlocks : kChunkBlocks) / format.record_blocks;
  const size_t width = (few ? 1 : kManyPanels) * kPanelWidth;
  for (size_t row = 0; row < op.m; row += kMaxRows) {
    GemmI8 part = op;
    part.m = op.m - row < kMaxRows ? op.m - row : kMaxRows;
    part.a += row * op.lda;
    part.blocks += row * (op.k / kQuantBlock);
    part.c += row * op.ldc;
    for (size_t group = 0; group < op.n; group += width) {
      const size_t end = op.n - group < width ? op.n : group + width;
      for (size_t record = 0; record < records; record += step) {
        const size_t count = records - record < step ? records - record : step;
        for (size_t first = group; first < end; first += kPanelWidth) {
          PanelChunk<V>(part, first, record, count);
        }
      }
    }
  }
}

// --- activations
// -----------------------------------------------------------------------------------

template <class V>
static void QuantizeI8(const float* x, size_t n, int8_t* q, ActivationBlock* blocks) noexcept {
  constexpr size_t kHalfVectors = kQuantBlock / 2 / V::kLanes;
  for (size_t i = 0; i < n; i += kQuantBlock, ++blocks) {
    auto high = V::Set(0.0f);
    auto poison = V::Set(0.0f);  // NaN once any x is NaN or infinite
    for (size_t j = 0; j < kQuantBlock; j += V::kLanes) {
      const auto v = V::Load(x + i + j);
      high = V::Max(high, V::Abs(v));
      poison = V::Fma(v, V::Set(0.0f), poison);
    }
    const float largest = V::ReduceMax(high);
    const float bad = V::ReduceAdd(poison);
    const bool usable = largest > kSmallestRange && bad == 0.0f;
    const auto inverse = V::Set(usable ? 127.0f / largest : 0.0f);
    float sums[2];
    for (size_t half = 0; half < 2; ++half) {
      auto sum = V::Set(0.0f);  // of integers: exact
      for (size_t j = 0; j < kHalfVectors; ++j) {
        const size_t at = i + half * kQuantBlock / 2 + j * V::kLanes;
        auto level = V::Set(0.0f);
        if (usable) level = V::Round(V::Mul(V::Load(x + at), inverse));
        V::StoreI8(q + at, level);
        sum = V::Add(sum, level);
      }
      sums[half] = V::ReduceAdd(sum);
      blocks->start_halves[half] = -128 * static_cast<int32_t>(sums[half]);
    }
    blocks->scale = (usable ? largest / 127.0f : 0.0f) + bad;
    blocks->sum = blocks->scale * (sums[0] + sums[1]);
    blocks->start = blocks->start_halves[0] + blocks->start_halves[1];
  }
}
