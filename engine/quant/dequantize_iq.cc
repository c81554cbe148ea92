// The codebook formats: a group of eight (or four) values is an index into a grid of levels, its
// signs, and a scale shared by more groups. The order of multiplications is ggml's, as in
// dequantize.cc, so that results are equal bit for bit.
#include <array>
#include <bit>
#include <cstdint>

#include "engine/quant/block_types.h"
#include "engine/quant/dequantize.h"
#include "engine/quant/for_each_block.h"
#include "engine/quant/half.h"
#include "engine/quant/iq_grids.h"

namespace vade::quant {
namespace {

constexpr size_t kGroup = 32;  // values that share a scale word
constexpr size_t kNumGroups = kSuperBlock / kGroup;
constexpr float kIq1Delta = 0.125f;  // IQ1 levels are shifted by this much up or down

// Seven stored signs; the eighth makes the number of negative values even.
uint8_t EvenSigns(uint32_t seven) noexcept {
  const auto bits = static_cast<uint8_t>(seven & 127);
  return static_cast<uint8_t>(bits | (std::popcount(bits) % 2) << 7);
}

template <size_t kValues>
void Emit(const std::array<int8_t, kValues>& levels, uint8_t signs, float scale,
          float* y) noexcept {
  for (size_t i = 0; i < kValues; ++i) {
    const float magnitude = scale * static_cast<float>(levels[i]);
    y[i] = (signs >> i & 1) != 0 ? -magnitude : magnitude;
  }
}

void EmitShifted(const std::array<int8_t, 8>& levels, bool down, float scale, float* y) noexcept {
  const float delta = down ? -kIq1Delta : kIq1Delta;
  for (size_t i = 0; i < 8; ++i) y[i] = scale * (static_cast<float>(levels[i]) + delta);
}

}  // namespace

void DequantizeIq2Xxs(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq2Xxs, kSuperBlock>(
      blocks, out, num_values, [](const BlockIq2Xxs& b, float* y) {
        const float d = HalfToFloat(b.scale);
        for (size_t group = 0; group < kNumGroups; ++group) {
          const uint32_t packed = b.groups[group].signs_and_scale;
          const float scale = d * (0.5f + static_cast<float>(packed >> 28)) * 0.25f;
          for (size_t part = 0; part < 4; ++part, y += 8) {
            Emit(kIq2XxsGrid[b.groups[group].indices[part]], EvenSigns(packed >> (7 * part)), scale,
                 y);
          }
        }
      });
}

void DequantizeIq2Xs(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq2Xs, kSuperBlock>(blocks, out, num_values, [](const BlockIq2Xs& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t part = 0; part < kSuperBlock / 8; ++part, y += 8) {
      const int nibble = (b.scales[part / 4] >> (part % 4 / 2 * 4)) & 0xF;
      const float scale = d * (0.5f + static_cast<float>(nibble)) * 0.25f;
      const uint32_t packed = b.indices_and_signs[part];
      Emit(kIq2XsGrid[packed & 511], EvenSigns(packed >> 9), scale, y);
    }
  });
}

void DequantizeIq2S(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq2S, kSuperBlock>(blocks, out, num_values, [](const BlockIq2S& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t part = 0; part < kSuperBlock / 8; ++part, y += 8) {
      const int nibble = (b.scales[part / 4] >> (part % 4 / 2 * 4)) & 0xF;
      const float scale = d * (0.5f + static_cast<float>(nibble)) * 0.25f;
      const auto high = static_cast<uint32_t>(b.high_bits[part / 4] >> (part % 4 * 2)) & 3u;
      Emit(kIq2SGrid[b.indices[part] | (high << 8)], b.signs[part], scale, y);
    }
  });
}

void DequantizeIq3Xxs(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq3Xxs, kSuperBlock>(
      blocks, out, num_values, [](const BlockIq3Xxs& b, float* y) {
        const float d = HalfToFloat(b.scale);
        for (size_t part = 0; part < kSuperBlock / 8; ++part, y += 8) {
          const uint32_t packed = b.signs_and_scales[part / 4];
          const float scale = d * (0.5f + static_cast<float>(packed >> 28)) * 0.5f;
          const uint8_t signs = EvenSigns(packed >> (part % 4 * 7));
          Emit(kIq3XxsGrid[b.indices[2 * part]], signs, scale, y);
          Emit(kIq3XxsGrid[b.indices[2 * part + 1]], static_cast<uint8_t>(signs >> 4), scale,
               y + 4);
        }
      });
}

void DequantizeIq3S(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq3S, kSuperBlock>(blocks, out, num_values, [](const BlockIq3S& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t part = 0; part < kSuperBlock / 8; ++part, y += 8) {
      const size_t group = part / 4;
      const int nibble = (b.scales[group / 2] >> (group % 2 * 4)) & 0xF;
      const float scale = d * static_cast<float>(1 + 2 * nibble);
      const auto high = static_cast<uint32_t>(b.high_bits[group] >> (part % 4 * 2));
      const uint32_t first = b.indices[2 * part] | ((high & 1u) << 8);
      const uint32_t second = b.indices[2 * part + 1] | ((high >> 1 & 1u) << 8);
      Emit(kIq3SGrid[first], b.signs[part], scale, y);
      Emit(kIq3SGrid[second], static_cast<uint8_t>(b.signs[part] >> 4), scale, y + 4);
    }
  });
}

void DequantizeIq1S(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq1S, kSuperBlock>(blocks, out, num_values, [](const BlockIq1S& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t part = 0; part < kSuperBlock / 8; ++part, y += 8) {
      const uint32_t packed = b.high_bits_and_scales[part / 4];
      const float scale = d * static_cast<float>(2 * (packed >> 12 & 7) + 1);
      const uint32_t high = packed >> (part % 4 * 3) & 7;
      EmitShifted(kIq1Grid[b.indices[part] | (high << 8)], (packed & 0x8000) != 0, scale, y);
    }
  });
}

// Without a field of its own, the super-block's binary16 scale is spread over the top four bits of
// the four scale words.
void DequantizeIq1M(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq1M, kSuperBlock>(blocks, out, num_values, [](const BlockIq1M& b, float* y) {
    uint16_t bits = 0;
    for (size_t i = 0; i < 4; ++i) {
      bits = static_cast<uint16_t>(bits | (b.scales[i] >> 12) << (4 * i));
    }
    const float d = HalfToFloat(bits);
    for (size_t part = 0; part < kSuperBlock / 8; ++part, y += 8) {
      const size_t pair = part / 2;  // sixteen 3-bit scales, four in a word
      const int level = b.scales[pair / 4] >> (pair % 4 * 3) & 7;
      const float scale = d * static_cast<float>(2 * level + 1);
      const auto packed = static_cast<uint32_t>(b.high_bits[part / 2] >> (part % 2 * 4));
      EmitShifted(kIq1Grid[b.indices[part] | ((packed & 7) << 8)], (packed & 8) != 0, scale, y);
    }
  });
}

}  // namespace vade::quant
