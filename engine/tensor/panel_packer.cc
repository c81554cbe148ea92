#include "engine/tensor/panel_packer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/quant/block_types.h"
#include "engine/quant/half.h"

namespace vade::tensor {
namespace {

using kernels::kPanelWidth;
using kernels::kQuantBlock;
using kernels::PanelFormat;
using kernels::PanelKind;
using quant::TensorType;

constexpr size_t kQuads = kQuantBlock / 4;

const PanelFormat& FormatOf(PanelKind kind) noexcept {
  return kernels::kPanelFormats[static_cast<size_t>(kind)];
}

// The codes of a block of one row, four to a word: word q holds values 4q .. 4q + 3.
using Words = std::array<uint32_t, kQuads>;

// One row's place in a record.
struct Lane {
  uint8_t* record;
  size_t row;

  void PutHalf(size_t field, quant::Half value) const noexcept {
    std::memcpy(record + (field * kPanelWidth + row) * sizeof value, &value, sizeof value);
  }
  void PutByte(size_t field, unsigned value) const noexcept {
    record[field * kPanelWidth + row] = static_cast<uint8_t>(value);
  }
};

// Two bits of every code: byte c % 256 takes codes c, c + 256, c + 512, c + 768.
void PutCrumbs(uint8_t* bytes, size_t row, const Words& codes, unsigned shift) noexcept {
  constexpr uint32_t kMask = 0x03030303;
  for (size_t q = 0; q < 2; ++q) {
    const uint32_t word = (codes[q] >> shift & kMask) | (codes[q + 2] >> shift & kMask) << 2 |
                          (codes[q + 4] >> shift & kMask) << 4 |
                          (codes[q + 6] >> shift & kMask) << 6;
    std::memcpy(bytes + (q * kPanelWidth + row) * 4, &word, sizeof word);
  }
}

// One bit of every code. Two rows share a byte.
void PutBits(uint8_t* bytes, size_t row, const Words& codes, unsigned shift) noexcept {
  constexpr uint32_t kGather = 1u << 24 | 1u << 17 | 1u << 10 | 1u << 3;  // bit of byte i to 24 + i
  for (size_t q = 0; q < kQuads; ++q) {
    const uint32_t four = ((codes[q] >> shift & 0x01010101u) * kGather) >> 24 & 15u;
    uint8_t& byte = bytes[(q * kPanelWidth + row) / 2];
    byte = static_cast<uint8_t>(byte | four << (row % 2 * 4));
  }
}

template <PanelKind kKind>
void PutCodes(const Lane& lane, size_t block, const Words& codes) noexcept {
  constexpr PanelFormat kFormat = kernels::kPanelFormats[static_cast<size_t>(kKind)];
  uint8_t* low = lane.record + kFormat.header_bytes + block * kFormat.code_bytes;
  uint8_t* high = low + kPanelWidth * kQuantBlock / 8 * kFormat.low_bits;
  if constexpr (kFormat.low_bits == 8) {
    for (size_t q = 0; q < kQuads; ++q) {
      std::memcpy(low + (q * kPanelWidth + lane.row) * 4, &codes[q], 4);
    }
  } else if constexpr (kFormat.low_bits == 4) {
    for (size_t q = 0; q < kQuads / 2; ++q) {
      const uint32_t word = (codes[q] & 0x0F0F0F0Fu) | (codes[q + 4] & 0x0F0F0F0Fu) << 4;
      std::memcpy(low + (q * kPanelWidth + lane.row) * 4, &word, sizeof word);
    }
  } else {
    PutCrumbs(low, lane.row, codes, 0);
  }
  if constexpr (kFormat.high_bits == 1) PutBits(high, lane.row, codes, kFormat.low_bits);
  if constexpr (kFormat.high_bits == 2) PutCrumbs(high, lane.row, codes, kFormat.low_bits);
}

uint32_t WordAt(const void* bytes, size_t q) noexcept {
  uint32_t word;
  std::memcpy(&word, static_cast<const std::byte*>(bytes) + 4 * q, sizeof word);
  return word;
}

// Value i low, value i + 16 high: the order of all 4-bit formats with blocks of 32.
Words Nibbles(const uint8_t* bytes) noexcept {
  Words codes;
  for (size_t q = 0; q < 4; ++q) {
    codes[q] = WordAt(bytes, q) & 0x0F0F0F0Fu;
    codes[q + 4] = WordAt(bytes, q) >> 4 & 0x0F0F0F0Fu;
  }
  return codes;
}

// Adds bit i of `bits` to value i as its fifth bit.
void AddFifthBits(Words& codes, uint32_t bits) noexcept {
  for (size_t q = 0; q < kQuads; ++q) {
    const uint32_t four = bits >> (4 * q) & 15u;
    codes[q] |= ((four * 0x00204081u) & 0x01010101u) << 4;  // bit i to byte i
  }
}

// --- blocks of 32
// ----------------------------------------------------------------------------------

void PackBlock(const quant::BlockQ8_0& b, const Lane& lane) noexcept {
  Words codes;
  for (size_t q = 0; q < kQuads; ++q) codes[q] = WordAt(b.values, q) ^ 0x80808080u;
  lane.PutHalf(0, b.scale);
  PutCodes<PanelKind::kQ8>(lane, 0, codes);
}

void PackBlock(const quant::BlockQ4_0& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  PutCodes<PanelKind::kQ4>(lane, 0, Nibbles(b.nibbles));
}

void PackBlock(const quant::BlockIq4Nl& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  PutCodes<PanelKind::kIq4Nl>(lane, 0, Nibbles(b.nibbles));
}

// The scale is 2^(exponent - 128), because kMxfp4Levels are doubled: exact in bf16, down to its
// subnormals.
void PackBlock(const quant::BlockMxfp4& b, const Lane& lane) noexcept {
  const unsigned scale = b.exponent < 2 ? 0x20u << b.exponent : (b.exponent - 1u) << 7;
  lane.PutHalf(0, static_cast<uint16_t>(scale));
  PutCodes<PanelKind::kMxfp4>(lane, 0, Nibbles(b.nibbles));
}

void PackBlock(const quant::BlockQ4_1& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  lane.PutHalf(1, b.min);
  PutCodes<PanelKind::kQ4Min>(lane, 0, Nibbles(b.nibbles));
}

void PackBlock(const quant::BlockQ5_0& b, const Lane& lane) noexcept {
  Words codes = Nibbles(b.nibbles);
  AddFifthBits(codes, b.high_bits);
  lane.PutHalf(0, b.scale);
  PutCodes<PanelKind::kQ5>(lane, 0, codes);
}

void PackBlock(const quant::BlockQ5_1& b, const Lane& lane) noexcept {
  Words codes = Nibbles(b.nibbles);
  AddFifthBits(codes, b.high_bits);
  lane.PutHalf(0, b.scale);
  lane.PutHalf(1, b.min);
  PutCodes<PanelKind::kQ5Min>(lane, 0, codes);
}

// --- blocks of 256
// -----------------------------------------------------------------------------------

// The 6-bit scales and mins of Q4_K and Q5_K: the last four pairs are split between the low
// nibbles of bytes 8-11 and the top bits of bytes 0-7.
void PutSixBitScales(const uint8_t (&packed)[12], const Lane& lane) noexcept {
  for (size_t j = 0; j < 8; j += 2) {
    unsigned crumbs = 0;
    for (size_t i = j; i < j + 2; ++i) {
      const auto byte = [&](size_t at) { return unsigned{packed[at]}; };
      const unsigned scale = i < 4 ? byte(i) & 63u : (byte(i + 4) & 15u) | byte(i - 4) >> 6 << 4;
      const unsigned min = i < 4 ? byte(i + 4) & 63u : byte(i + 4) >> 4 | byte(i) >> 6 << 4;
      lane.PutByte(4 + i, (scale & 15u) | (min & 15u) << 4);
      crumbs |= (scale >> 4 | min >> 4 << 2) << (i % 2 * 4);
    }
    lane.PutByte(12 + j / 2, crumbs);
  }
}

void PackBlock(const quant::BlockQ4K& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  lane.PutHalf(1, b.min);
  PutSixBitScales(b.scales, lane);
  for (size_t j = 0; j < 8; ++j) {
    Words codes;
    for (size_t q = 0; q < kQuads; ++q) {
      codes[q] = WordAt(b.nibbles + j / 2 * 32, q) >> (j % 2 * 4) & 0x0F0F0F0Fu;
    }
    PutCodes<PanelKind::kQ4K>(lane, j, codes);
  }
}

void PackBlock(const quant::BlockQ5K& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  lane.PutHalf(1, b.min);
  PutSixBitScales(b.scales, lane);
  for (size_t j = 0; j < 8; ++j) {
    Words codes;
    for (size_t q = 0; q < kQuads; ++q) {
      codes[q] = (WordAt(b.nibbles + j / 2 * 32, q) >> (j % 2 * 4) & 0x0F0F0F0Fu) |
                 (WordAt(b.high_bits, q) >> j & 0x01010101u) << 4;
    }
    PutCodes<PanelKind::kQ5K>(lane, j, codes);
  }
}

void PackBlock(const quant::BlockQ6K& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  for (size_t i = 0; i < 16; ++i) lane.PutByte(2 + i, static_cast<uint8_t>(b.scales[i]));
  for (size_t j = 0; j < 8; ++j) {
    const uint8_t* low = b.low_nibbles + j / 4 * 64 + j % 2 * 32;
    const uint8_t* high = b.high_crumbs + j / 4 * 32;
    Words codes;
    for (size_t q = 0; q < kQuads; ++q) {
      codes[q] = (WordAt(low, q) >> (j % 4 / 2 * 4) & 0x0F0F0F0Fu) |
                 (WordAt(high, q) >> (j % 4 * 2) & 0x03030303u) << 4;
    }
    PutCodes<PanelKind::kQ6K>(lane, j, codes);
  }
}

void PackBlock(const quant::BlockQ2K& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  lane.PutHalf(1, b.min);
  for (size_t i = 0; i < 16; ++i) lane.PutByte(4 + i, b.scales[i]);
  for (size_t j = 0; j < 8; ++j) {
    Words codes;
    for (size_t q = 0; q < kQuads; ++q) {
      codes[q] = WordAt(b.crumbs + j / 4 * 32, q) >> (j % 4 * 2) & 0x03030303u;
    }
    PutCodes<PanelKind::kQ2K>(lane, j, codes);
  }
}

void PackBlock(const quant::BlockQ3K& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  for (size_t i = 0; i < 16; ++i) {  // 6 bits: low nibbles in bytes 0-7, high crumbs in 8-11
    const unsigned low = i < 8 ? b.scales[i] & 15u : b.scales[i - 8] >> 4;
    const unsigned high = b.scales[8 + i % 4] >> (2 * (i / 4)) & 3u;
    lane.PutByte(2 + i, (low | high << 4) - 32u);
  }
  for (size_t j = 0; j < 8; ++j) {
    Words codes;
    for (size_t q = 0; q < kQuads; ++q) {
      codes[q] = (WordAt(b.crumbs + j / 4 * 32, q) >> (j % 4 * 2) & 0x03030303u) |
                 (WordAt(b.high_mask, q) >> j & 0x01010101u) << 2;
    }
    PutCodes<PanelKind::kQ3K>(lane, j, codes);
  }
}

void PackBlock(const quant::BlockIq4Xs& b, const Lane& lane) noexcept {
  lane.PutHalf(0, b.scale);
  for (size_t j = 0; j < 8; ++j) {
    const unsigned low = b.scales_low[j / 2] >> (4 * (j % 2)) & 15u;
    const unsigned high = static_cast<unsigned>(b.scales_high) >> (2 * j) & 3u;
    lane.PutByte(2 + j, (low | high << 4) - 32u);
    PutCodes<PanelKind::kIq4Xs>(lane, j, Nibbles(b.nibbles + j * 16));
  }
}

// --- panels
// --------------------------------------------------------------------------------------------

// Records in the outer loop: the 32 rows write the same few cache lines.
template <class Block>
void PackBlocks(PanelKind kind, const PanelRows& rows, size_t k, uint8_t* panel) noexcept {
  const PanelFormat& format = FormatOf(kind);
  const size_t num_records = k / (kQuantBlock * format.record_blocks);
  for (size_t i = 0; i < num_records; ++i, panel += format.record_bytes) {
    for (size_t row = 0; row < kPanelWidth && rows[row].data != nullptr; ++row) {
      Block block;
      std::memcpy(&block, rows[row].data + i * sizeof block, sizeof block);
      PackBlock(block, {panel, row});
    }
  }
}

// Largest magnitude of 32 values; NaN if one is not finite.
float Largest(const float* values) noexcept {
  float largest = 0.0f;
  float poison = 0.0f;
  for (size_t i = 0; i < kQuantBlock; ++i) {
    largest = std::max(largest, std::abs(values[i]));
    poison += values[i] * 0.0f;
  }
  return largest + poison;
}

void PutRounded(const Lane& lane, const float* values, float scale) noexcept {
  const bool usable = std::isfinite(scale) && scale != 0.0f;
  Words codes;
  codes.fill(0x80808080u);  // 0
  for (size_t i = 0; usable && i < kQuantBlock; ++i) {
    const float level = std::clamp(std::nearbyint(values[i] / scale), -127.0f, 127.0f);
    const auto code = static_cast<uint32_t>(static_cast<int>(level) + 128);
    codes[i / 4] = (codes[i / 4] & ~(255u << (i % 4 * 8))) | code << (i % 4 * 8);
  }
  PutCodes<PanelKind::kQ8>(lane, 0, codes);
}

// The next bf16 at or above max / 127, so that no code passes 127.
uint16_t WideScale(float largest) noexcept {
  if (!std::isfinite(largest)) return 0x7FC0;  // NaN
  const float wanted = largest / 127.0f;
  const auto truncated = static_cast<uint16_t>(std::bit_cast<uint32_t>(wanted) >> 16);
  return quant::Bf16ToFloat(truncated) < wanted ? static_cast<uint16_t>(truncated + 1) : truncated;
}

// Row by row through f32: kQ8Wide, and the ternary types, whose own scale makes kQ8 exact.
void PackThroughFloats(PanelKind kind, const PanelRows& rows, size_t k, uint8_t* panel) {
  const PanelFormat& format = FormatOf(kind);
  std::vector<float> values(k);
  for (size_t row = 0; row < kPanelWidth && rows[row].data != nullptr; ++row) {
    const quant::TensorTypeInfo& info = quant::InfoOf(rows[row].type);
    info.dequantize(rows[row].data, values.data(), k);
    for (size_t i = 0; i < k; i += kQuantBlock) {
      const Lane lane = {panel + i / kQuantBlock * format.record_bytes, row};
      if (kind == PanelKind::kQ8Wide) {
        const uint16_t scale = WideScale(Largest(values.data() + i));
        lane.PutHalf(0, scale);
        PutRounded(lane, values.data() + i, quant::Bf16ToFloat(scale));
      } else {  // both ternary blocks end with their scale
        quant::Half scale;
        const std::byte* block_end =
            rows[row].data + (i / info.block_values + 1) * info.block_bytes;
        std::memcpy(&scale, block_end - sizeof scale, sizeof scale);
        lane.PutHalf(0, scale);
        PutRounded(lane, values.data() + i, quant::HalfToFloat(scale));
      }
    }
  }
}

}  // namespace

PanelKind PanelKindOf(TensorType type) noexcept {
  switch (type) {
    case TensorType::kQ8_0:
    case TensorType::kTq1_0:
    case TensorType::kTq2_0:
      return PanelKind::kQ8;
    case TensorType::kQ4_0:
      return PanelKind::kQ4;
    case TensorType::kQ4_1:
      return PanelKind::kQ4Min;
    case TensorType::kQ5_0:
      return PanelKind::kQ5;
    case TensorType::kQ5_1:
      return PanelKind::kQ5Min;
    case TensorType::kIq4Nl:
      return PanelKind::kIq4Nl;
    case TensorType::kMxfp4:
      return PanelKind::kMxfp4;
    case TensorType::kQ2K:
      return PanelKind::kQ2K;
    case TensorType::kQ3K:
      return PanelKind::kQ3K;
    case TensorType::kQ4K:
      return PanelKind::kQ4K;
    case TensorType::kQ5K:
      return PanelKind::kQ5K;
    case TensorType::kQ6K:
      return PanelKind::kQ6K;
    case TensorType::kIq4Xs:
      return PanelKind::kIq4Xs;
    default:
      return PanelKind::kQ8Wide;
  }
}

size_t PanelBytes(PanelKind kind, size_t k) noexcept {
  const PanelFormat& format = FormatOf(kind);
  return k / (kQuantBlock * format.record_blocks) * format.record_bytes;
}

void PackPanel(PanelKind kind, const PanelRows& rows, size_t k, uint8_t* panel) {
  const TensorType type = rows[0].type;
  if (type == TensorType::kTq1_0 || type == TensorType::kTq2_0) {
    return PackThroughFloats(kind, rows, k, panel);
  }
  switch (kind) {
    case PanelKind::kQ8:
      return PackBlocks<quant::BlockQ8_0>(kind, rows, k, panel);
    case PanelKind::kQ8Wide:
      return PackThroughFloats(kind, rows, k, panel);
    case PanelKind::kQ4:
      return PackBlocks<quant::BlockQ4_0>(kind, rows, k, panel);
    case PanelKind::kQ4Min:
      return PackBlocks<quant::BlockQ4_1>(kind, rows, k, panel);
    case PanelKind::kQ5:
      return PackBlocks<quant::BlockQ5_0>(kind, rows, k, panel);
    case PanelKind::kQ5Min:
      return PackBlocks<quant::BlockQ5_1>(kind, rows, k, panel);
    case PanelKind::kIq4Nl:
      return PackBlocks<quant::BlockIq4Nl>(kind, rows, k, panel);
    case PanelKind::kMxfp4:
      return PackBlocks<quant::BlockMxfp4>(kind, rows, k, panel);
    case PanelKind::kQ2K:
      return PackBlocks<quant::BlockQ2K>(kind, rows, k, panel);
    case PanelKind::kQ3K:
      return PackBlocks<quant::BlockQ3K>(kind, rows, k, panel);
    case PanelKind::kQ4K:
      return PackBlocks<quant::BlockQ4K>(kind, rows, k, panel);
    case PanelKind::kQ5K:
      return PackBlocks<quant::BlockQ5K>(kind, rows, k, panel);
    case PanelKind::kQ6K:
      return PackBlocks<quant::BlockQ6K>(kind, rows, k, panel);
    case PanelKind::kIq4Xs:
      return PackBlocks<quant::BlockIq4Xs>(kind, rows, k, panel);
  }
}

}  // namespace vade::tensor
