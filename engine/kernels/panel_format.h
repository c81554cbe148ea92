// How quantised weights lie in memory for the 8-bit product: native bit width, 32 rows interleaved.
// Data only (see kernel_types.h).
//
// A panel is 32 weight rows (output columns), a record its piece of 32 or 256 values of k; the
// records of a panel follow each other, so that one thread reads one stream. A record is a header
// of scales, each field [.., 32] with one entry per row, then for every 32 values of k ("block")
// the codes, first their low bits and then their high bits.
// Codes of a block are numbered c = (quad * 32 + row) * 4 + i for value 4 * quad + i of the row: 64
// neighbouring codes are what one 512-bit vpdpbusd takes for 16 rows. In storage,
//   8 bits: code c is byte c;
//   4 bits: code c is the low (c < 512) or high nibble of byte c % 512;
//   2 bits: code c is bits 2 * (c / 256) .. of byte c % 256;
//   1 bit:  code c is bit c % 8 of byte c / 8.
// That is the file's own number of bits per weight, except Q3_K (3.5625 for 3.4375), IQ4_XS (4.3125
// for 4.25) and MXFP4 (4.5 for 4.25), whose scales are kept in whole bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/kernel_types.h"

namespace vade::kernels {

inline constexpr size_t kQuantBlock = 32;  // values of k that share an activation scale
inline constexpr size_t kMaxRecordBlocks = 8;

/// Fields of a record's header, in order.
enum class ScaleForm : uint8_t {
  kF16,       // scale f16
  kBf16,      // scale bf16
  kF16Min,    // scale f16, min f16
  kSixBit,    // d f16, dmin f16; per block a byte (low nibbles of scale, min); per two blocks a
              // byte of their four high crumbs (scale, min, scale, min)
  kNibble,    // d f16, dmin f16; per 16 values a byte (scale low nibble, min high nibble)
  kInt8,      // d f16; per block a signed byte
  kInt8Half,  // d f16; per 16 values a signed byte
};

/// What a code means: an unsigned level of an affine format, or code - zero, or levels[code].
enum class CodeForm : uint8_t { kAffine, kShifted, kTable };

struct PanelFormat {
  uint8_t low_bits;
  uint8_t high_bits;
  CodeForm codes;
  ScaleForm scales;
  uint8_t zero;           // kShifted: the code of 0
  uint8_t record_blocks;  // blocks of a record: 1 or 8
  uint16_t header_bytes;  // of a record
  uint16_t code_bytes;    // of a block
  uint16_t record_bytes;  // header_bytes + record_blocks * code_bytes
  const int8_t* levels;   // kTable: [16]
};

enum class PanelKind : uint8_t {
  kQ8,      // Q8_0, and the ternary types
  kQ8Wide,  // any other type, rounded to 8 bits and a bf16 scale per 32 values
  kQ4,
  kQ4Min,
  kQ5,
  kQ5Min,
  kIq4Nl,
  kMxfp4,
  kQ2K,
  kQ3K,
  kQ4K,
  kQ5K,
  kQ6K,
  kIq4Xs,
};

inline constexpr int8_t kQ4Levels[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
inline constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr int8_t kMxfp4Levels[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                            0, -1, -2, -3, -4, -6, -8, -12};

consteval size_t HeaderBytes(ScaleForm scales) {
  switch (scales) {
    case ScaleForm::kF16:
    case ScaleForm::kBf16:
      return 2 * kPanelWidth;
    case ScaleForm::kF16Min:
      return 4 * kPanelWidth;
    case ScaleForm::kSixBit:
      return (4 + 8 + 4) * kPanelWidth;
    case ScaleForm::kNibble:
      return (4 + 16) * kPanelWidth;
    case ScaleForm::kInt8:
      return (2 + 8) * kPanelWidth;
    case ScaleForm::kInt8Half:
      return (2 + 16) * kPanelWidth;
  }
  return 0;
}

consteval PanelFormat MakeFormat(uint8_t low_bits, uint8_t high_bits, CodeForm codes,
                                 ScaleForm scales, uint8_t zero, const int8_t* levels) {
  const bool plain =
      scales == ScaleForm::kF16 || scales == ScaleForm::kBf16 || scales == ScaleForm::kF16Min;
  const size_t blocks = plain ? 1 : kMaxRecordBlocks;
  const size_t code_bytes = kPanelWidth * kQuantBlock * (low_bits + high_bits) / 8u;
  const size_t header = HeaderBytes(scales);
  return {low_bits,
          high_bits,
          codes,
          scales,
          zero,
          static_cast<uint8_t>(blocks),
          static_cast<uint16_t>(header),
          static_cast<uint16_t>(code_bytes),
          static_cast<uint16_t>(header + blocks * code_bytes),
          levels};
}

/// Indexed by PanelKind.
inline constexpr PanelFormat kPanelFormats[] = {
    MakeFormat(8, 0, CodeForm::kShifted, ScaleForm::kF16, 128, nullptr),
    MakeFormat(8, 0, CodeForm::kShifted, ScaleForm::kBf16, 128, nullptr),
    MakeFormat(4, 0, CodeForm::kTable, ScaleForm::kF16, 0, kQ4Levels),
    MakeFormat(4, 0, CodeForm::kAffine, ScaleForm::kF16Min, 0, nullptr),
    MakeFormat(4, 1, CodeForm::kShifted, ScaleForm::kF16, 16, nullptr),
    MakeFormat(4, 1, CodeForm::kAffine, ScaleForm::kF16Min, 0, nullptr),
    MakeFormat(4, 0, CodeForm::kTable, ScaleForm::kF16, 0, kIq4Levels),
    MakeFormat(4, 0, CodeForm::kTable, ScaleForm::kBf16, 0, kMxfp4Levels),
    MakeFormat(2, 0, CodeForm::kAffine, ScaleForm::kNibble, 0, nullptr),
    MakeFormat(2, 1, CodeForm::kShifted, ScaleForm::kInt8Half, 4, nullptr),
    MakeFormat(4, 0, CodeForm::kAffine, ScaleForm::kSixBit, 0, nullptr),
    MakeFormat(4, 1, CodeForm::kAffine, ScaleForm::kSixBit, 0, nullptr),
    MakeFormat(4, 2, CodeForm::kShifted, ScaleForm::kInt8Half, 32, nullptr),
    MakeFormat(4, 0, CodeForm::kTable, ScaleForm::kInt8, 0, kIq4Levels),
};

}  // namespace vade::kernels
