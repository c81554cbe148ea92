// The 8-bit product in plain C++: the specification of panel_format.h and of the vector versions.
#include <algorithm>
#include <cstring>

#include "engine/kernels/half_bits.h"
#include "engine/kernels/panel_format.h"
#include "engine/kernels/tables.h"

namespace vade::kernels {
namespace {

// `bits` bits of code c among the codes stored with that many bits.
unsigned CodeBits(const uint8_t* bytes, unsigned bits, size_t c) noexcept {
  switch (bits) {
    case 8:
      return bytes[c];
    case 4:
      return bytes[c % 512] >> (c / 512 * 4) & 15u;
    case 2:
      return bytes[c % 256] >> (c / 256 * 2) & 3u;
    case 1:
      return bytes[c / 8] >> (c % 8) & 1u;
    default:
      return 0;
  }
}

// What code c of a block means before it is scaled.
int32_t Level(const PanelFormat& format, const uint8_t* codes, size_t c) noexcept {
  const uint8_t* high = codes + kPanelWidth * kQuantBlock / 8 * format.low_bits;
  const unsigned code = CodeBits(codes, format.low_bits, c) | CodeBits(high, format.high_bits, c)
                                                                  << format.low_bits;
  switch (format.codes) {
    case CodeForm::kAffine:
      return static_cast<int32_t>(code);
    case CodeForm::kShifted:
      return static_cast<int32_t>(code) - format.zero;
    case CodeForm::kTable:
      return format.levels[code];
  }
  return 0;
}

struct ScaleMin {
  float scale, min;
};

// Of row `row` of the panel, for values [16 * half, 16 * half + 16) of the record.
ScaleMin ScaleOf(ScaleForm form, const uint8_t* header, size_t row, size_t half) noexcept {
  const auto half_field = [&](size_t field) {
    uint16_t bits;
    std::memcpy(&bits, header + (field * kPanelWidth + row) * sizeof bits, sizeof bits);
    return bits;
  };
  const auto byte = [&](size_t field) { return header[field * kPanelWidth + row]; };
  const auto f32 = [](auto x) { return static_cast<float>(x); };
  const float d = F32FromF16(half_field(0));
  const size_t block = half / 2;
  switch (form) {
    case ScaleForm::kF16:
      return {d, 0.0f};
    case ScaleForm::kBf16:
      return {F32FromBf16(half_field(0)), 0.0f};
    case ScaleForm::kF16Min:
      return {d, F32FromF16(half_field(1))};
    case ScaleForm::kSixBit: {
      const int low = byte(4 + block);
      const int high = byte(12 + block / 2) >> (block % 2 * 4);
      return {d * f32((low & 15) | (high & 3) << 4),
              -F32FromF16(half_field(1)) * f32(low >> 4 | (high & 12) << 2)};
    }
    case ScaleForm::kNibble:
      return {d * f32(byte(4 + half) & 15), -F32FromF16(half_field(1)) * f32(byte(4 + half) >> 4)};
    case ScaleForm::kInt8:
      return {d * f32(static_cast<int8_t>(byte(2 + block))), 0.0f};
    case ScaleForm::kInt8Half:
      return {d * f32(static_cast<int8_t>(byte(2 + half))), 0.0f};
  }
  return {};
}

// The sum over one block: values [32 * block, 32 * block + 32) of the record.
float DotBlock(const PanelFormat& format, const uint8_t* record, size_t block, size_t row,
               const int8_t* a, const ActivationBlock& meta) noexcept {
  const uint8_t* codes = record + format.header_bytes + block * format.code_bytes;
  const bool halves = format.scales == ScaleForm::kInt8Half || format.scales == ScaleForm::kNibble;
  const size_t part = halves ? kQuantBlock / 2 : kQuantBlock;
  float sum = 0.0f;
  for (size_t first = 0; first < kQuantBlock; first += part) {
    int32_t dot = 0;
    int32_t total = 0;
    for (size_t i = first; i < first + part; ++i) {
      dot += a[i] * Level(format, codes, (i / 4 * kPanelWidth + row) * 4 + i % 4);
      total += a[i];
    }
    const ScaleMin w = ScaleOf(format.scales, record, row, (block * kQuantBlock + first) / 16);
    sum += static_cast<float>(dot) * w.scale * meta.scale;
    if (format.codes == CodeForm::kAffine) sum += w.min * (meta.scale * static_cast<float>(total));
  }
  return sum;
}

}  // namespace

void ScalarGemmI8(const GemmI8& op) noexcept {
  const PanelFormat& format = kPanelFormats[static_cast<size_t>(op.kind)];
  const size_t num_blocks = op.k / kQuantBlock;
  const size_t panel_bytes = num_blocks / format.record_blocks * format.record_bytes;
  for (size_t row = 0; row < op.m; ++row) {
    for (size_t col = 0; col < op.n; ++col) {
      const uint8_t* panel = op.panels + col / kPanelWidth * panel_bytes;
      float& c = op.c[row * op.ldc + col];
      float sum = (op.bias != nullptr ? op.bias[col] : 0.0f) + (op.accumulate ? c : 0.0f);
      for (size_t block = 0; block < num_blocks; ++block) {
        const uint8_t* record = panel + block / format.record_blocks * format.record_bytes;
        sum += DotBlock(format, record, block % format.record_blocks, col % kPanelWidth,
                        op.a + row * op.lda + block * kQuantBlock,
                        op.blocks[row * num_blocks + block]);
      }
      c = sum;
    }
  }
}

}  // namespace vade::kernels
