// Every formula here multiplies and adds in the order of the ggml reference, in float32 without
// fusing (this file is compiled for the baseline CPU, which has no FMA), so that results are equal
// bit for bit.
#include "engine/quant/dequantize.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/quant/block_types.h"
#include "engine/quant/for_each_block.h"
#include "engine/quant/half.h"

namespace vade::quant {
namespace {

// Scale and min number j of a Q4_K or Q5_K block: 6 bits each, the last four pairs split between
// the low nibbles of bytes 8-11 and the top bits of bytes 0-7.
struct ScaleMin {
  float scale, min;
};
ScaleMin UnpackScaleMin(const uint8_t (&packed)[12], size_t j) noexcept {
  if (j < 4) return {static_cast<float>(packed[j] & 63), static_cast<float>(packed[j + 4] & 63)};
  return {static_cast<float>((packed[j + 4] & 0xF) | ((packed[j - 4] >> 6) << 4)),
          static_cast<float>((packed[j + 4] >> 4) | ((packed[j] >> 6) << 4))};
}

// Scale number j of a Q3_K block: low nibble in bytes 0-7, high two bits in bytes 8-11.
int UnpackQ3Scale(const uint8_t (&packed)[12], size_t j) noexcept {
  const int low = j < 8 ? packed[j] & 0xF : packed[j - 8] >> 4;
  const int high = (packed[8 + j % 4] >> (2 * (j / 4))) & 3;
  return (low | (high << 4)) - 32;
}

// 2^(exponent - 128): half the E8M0 scale, because kFp4Values are doubled.
float HalfE8m0(uint8_t exponent) noexcept {
  if (exponent < 2) return std::bit_cast<float>(uint32_t{0x00200000} << exponent);
  return std::bit_cast<float>(static_cast<uint32_t>(exponent - 1) << 23);
}

// Half the UE4M3 scale (a float of four bits exponent, three mantissa, no sign), for the same
// reason. 0x7F is its NaN, read as 0.
float HalfUe4m3(uint8_t bits) noexcept {
  const int exponent = bits >> 3 & 0xF;
  const auto mantissa = static_cast<float>(bits & 7);
  if (bits == 0x7F) return 0;
  if (exponent == 0) return mantissa * 0x1p-10f;
  return (8.0f + mantissa) * std::bit_cast<float>(static_cast<uint32_t>(exponent + 127 - 11) << 23);
}

}  // namespace

void DequantizeF32(const std::byte* blocks, float* out, size_t num_values) noexcept {
  if (num_values > 0) std::memcpy(out, blocks, num_values * sizeof(float));
}

void DequantizeF16(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<Half, 1>(blocks, out, num_values, [](Half h, float* y) { *y = HalfToFloat(h); });
}

void DequantizeBf16(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<uint16_t, 1>(blocks, out, num_values,
                            [](uint16_t b, float* y) { *y = Bf16ToFloat(b); });
}

void DequantizeQ4_0(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ4_0, kBlock>(blocks, out, num_values, [](const BlockQ4_0& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t i = 0; i < 16; ++i) {
      y[i] = static_cast<float>((b.nibbles[i] & 0xF) - 8) * d;
      y[i + 16] = static_cast<float>((b.nibbles[i] >> 4) - 8) * d;
    }
  });
}

void DequantizeQ4_1(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ4_1, kBlock>(blocks, out, num_values, [](const BlockQ4_1& b, float* y) {
    const float d = HalfToFloat(b.scale);
    const float m = HalfToFloat(b.min);
    for (size_t i = 0; i < 16; ++i) {
      y[i] = static_cast<float>(b.nibbles[i] & 0xF) * d + m;
      y[i + 16] = static_cast<float>(b.nibbles[i] >> 4) * d + m;
    }
  });
}

void DequantizeQ5_0(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ5_0, kBlock>(blocks, out, num_values, [](const BlockQ5_0& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t i = 0; i < 16; ++i) {
      const int high_0 = static_cast<int>((b.high_bits >> i) & 1u) << 4;
      const int high_1 = static_cast<int>((b.high_bits >> (i + 16)) & 1u) << 4;
      y[i] = static_cast<float>(((b.nibbles[i] & 0xF) | high_0) - 16) * d;
      y[i + 16] = static_cast<float>(((b.nibbles[i] >> 4) | high_1) - 16) * d;
    }
  });
}

void DequantizeQ5_1(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ5_1, kBlock>(blocks, out, num_values, [](const BlockQ5_1& b, float* y) {
    const float d = HalfToFloat(b.scale);
    const float m = HalfToFloat(b.min);
    for (size_t i = 0; i < 16; ++i) {
      const int high_0 = static_cast<int>((b.high_bits >> i) & 1u) << 4;
      const int high_1 = static_cast<int>((b.high_bits >> (i + 16)) & 1u) << 4;
      y[i] = static_cast<float>((b.nibbles[i] & 0xF) | high_0) * d + m;
      y[i + 16] = static_cast<float>((b.nibbles[i] >> 4) | high_1) * d + m;
    }
  });
}

void DequantizeQ8_0(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ8_0, kBlock>(blocks, out, num_values, [](const BlockQ8_0& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t i = 0; i < kBlock; ++i) y[i] = static_cast<float>(b.values[i]) * d;
  });
}

void DequantizeQ2K(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ2K, kSuperBlock>(blocks, out, num_values, [](const BlockQ2K& b, float* y) {
    const float d = HalfToFloat(b.scale);
    const float m = HalfToFloat(b.min);
    for (size_t i = 0; i < kSuperBlock; ++i) {
      const uint8_t packed = b.scales[i / 16];
      const size_t half = i / 128;
      const size_t shift = 2 * (i % 128 / 32);
      const int crumb = (b.crumbs[half * 32 + i % 32] >> shift) & 3;
      const float scale = d * static_cast<float>(packed & 0xF);
      const float min = m * static_cast<float>(packed >> 4);
      y[i] = scale * static_cast<float>(crumb) - min;
    }
  });
}

void DequantizeQ3K(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ3K, kSuperBlock>(blocks, out, num_values, [](const BlockQ3K& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t i = 0; i < kSuperBlock; ++i) {
      const size_t group = i / 32;  // also the bit of high_mask
      const int crumb = (b.crumbs[i / 128 * 32 + i % 32] >> (2 * (group % 4))) & 3;
      const int high = (b.high_mask[i % 32] >> group) & 1;
      const float scale = d * static_cast<float>(UnpackQ3Scale(b.scales, i / 16));
      y[i] = scale * static_cast<float>(crumb - (high != 0 ? 0 : 4));
    }
  });
}

void DequantizeQ4K(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ4K, kSuperBlock>(blocks, out, num_values, [](const BlockQ4K& b, float* y) {
    const float d = HalfToFloat(b.scale);
    const float m = HalfToFloat(b.min);
    for (size_t j = 0; j < kSuperBlock / 32; ++j) {
      const ScaleMin packed = UnpackScaleMin(b.scales, j);
      const float scale = d * packed.scale;
      const float min = m * packed.min;
      for (size_t i = 0; i < 32; ++i) {
        const int nibble = (b.nibbles[j / 2 * 32 + i] >> (4 * (j % 2))) & 0xF;
        y[j * 32 + i] = scale * static_cast<float>(nibble) - min;
      }
    }
  });
}

void DequantizeQ5K(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ5K, kSuperBlock>(blocks, out, num_values, [](const BlockQ5K& b, float* y) {
    const float d = HalfToFloat(b.scale);
    const float m = HalfToFloat(b.min);
    for (size_t j = 0; j < kSuperBlock / 32; ++j) {
      const ScaleMin packed = UnpackScaleMin(b.scales, j);
      const float scale = d * packed.scale;
      const float min = m * packed.min;
      for (size_t i = 0; i < 32; ++i) {
        const int nibble = (b.nibbles[j / 2 * 32 + i] >> (4 * (j % 2))) & 0xF;
        const int high = ((b.high_bits[i] >> j) & 1) << 4;
        y[j * 32 + i] = scale * static_cast<float>(nibble + high) - min;
      }
    }
  });
}

void DequantizeQ6K(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockQ6K, kSuperBlock>(blocks, out, num_values, [](const BlockQ6K& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t i = 0; i < kSuperBlock; ++i) {
      const size_t half = i / 128;
      const size_t group = i % 128 / 32;
      const int nibble = (b.low_nibbles[half * 64 + i % 64] >> (4 * (group / 2))) & 0xF;
      const int high = (b.high_crumbs[half * 32 + i % 32] >> (2 * group)) & 3;
      const auto level = static_cast<float>((nibble | (high << 4)) - 32);
      y[i] = d * static_cast<float>(b.scales[i / 16]) * level;
    }
  });
}

void DequantizeIq4Nl(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq4Nl, kBlock>(blocks, out, num_values, [](const BlockIq4Nl& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t i = 0; i < 16; ++i) {
      y[i] = d * static_cast<float>(kIq4Values[b.nibbles[i] & 0xF]);
      y[i + 16] = d * static_cast<float>(kIq4Values[b.nibbles[i] >> 4]);
    }
  });
}

void DequantizeIq4Xs(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockIq4Xs, kSuperBlock>(blocks, out, num_values, [](const BlockIq4Xs& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t j = 0; j < kSuperBlock / 32; ++j) {
      const int low = (b.scales_low[j / 2] >> (4 * (j % 2))) & 0xF;
      const int high = (b.scales_high >> (2 * j)) & 3;
      const float scale = d * static_cast<float>((low | (high << 4)) - 32);
      for (size_t i = 0; i < 16; ++i) {
        const uint8_t pair = b.nibbles[j * 16 + i];
        y[j * 32 + i] = scale * static_cast<float>(kIq4Values[pair & 0xF]);
        y[j * 32 + i + 16] = scale * static_cast<float>(kIq4Values[pair >> 4]);
      }
    }
  });
}

void DequantizeMxfp4(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockMxfp4, kBlock>(blocks, out, num_values, [](const BlockMxfp4& b, float* y) {
    const float d = HalfE8m0(b.exponent);
    for (size_t i = 0; i < 16; ++i) {
      y[i] = static_cast<float>(kFp4Values[b.nibbles[i] & 0xF]) * d;
      y[i + 16] = static_cast<float>(kFp4Values[b.nibbles[i] >> 4]) * d;
    }
  });
}

void DequantizeNvfp4(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockNvfp4, 64>(blocks, out, num_values, [](const BlockNvfp4& b, float* y) {
    for (size_t j = 0; j < 4; ++j) {
      const float d = HalfUe4m3(b.scales[j]);
      for (size_t i = 0; i < 8; ++i) {
        const uint8_t pair = b.nibbles[8 * j + i];
        y[16 * j + i] = static_cast<float>(kFp4Values[pair & 0xF]) * d;
        y[16 * j + i + 8] = static_cast<float>(kFp4Values[pair >> 4]) * d;
      }
    }
  });
}

// A byte of TQ1_0 is a fraction of 256 whose base-3 expansion holds the digits: multiplying by
// 3^n (mod 256) brings digit n to the front, and times 3 / 256 reads it.
void DequantizeTq1_0(const std::byte* blocks, float* out, size_t num_values) noexcept {
  constexpr uint8_t kPow3[5] = {1, 3, 9, 27, 81};
  ForEachBlock<BlockTq1_0, kSuperBlock>(
      blocks, out, num_values, [&](const BlockTq1_0& b, float* y) {
        const float d = HalfToFloat(b.scale);
        const auto emit = [&](const uint8_t* bytes, size_t count, size_t digits) {
          for (size_t n = 0; n < digits; ++n) {
            for (size_t i = 0; i < count; ++i) {
              const auto shifted = static_cast<uint8_t>(bytes[i] * kPow3[n]);
              *y++ = static_cast<float>(((shifted * 3) >> 8) - 1) * d;
            }
          }
        };
        emit(b.base3, 32, 5);
        emit(b.base3 + 32, 16, 5);
        emit(b.base3_tail, sizeof b.base3_tail, 4);
      });
}

void DequantizeTq2_0(const std::byte* blocks, float* out, size_t num_values) noexcept {
  ForEachBlock<BlockTq2_0, kSuperBlock>(blocks, out, num_values, [](const BlockTq2_0& b, float* y) {
    const float d = HalfToFloat(b.scale);
    for (size_t i = 0; i < kSuperBlock; ++i) {
      const int crumb = (b.crumbs[i / 128 * 32 + i % 32] >> (2 * (i % 128 / 32))) & 3;
      y[i] = static_cast<float>(crumb - 1) * d;
    }
  });
}

}  // namespace vade::quant
