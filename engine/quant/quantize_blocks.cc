// The formats with one scale per 32 values.
#include "engine/quant/quantize_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/quant/block_types.h"
#include "engine/quant/half.h"
#include "engine/quant/quantize_fit.h"

namespace vade::quant {
namespace {

// The line a block can store: fitted, then rounded to binary16.
struct StoredLine {
  Half scale, offset;
  Line line;
};

StoredLine Store(Line line) noexcept {
  StoredLine stored = {FloatToHalfClamped(line.scale), FloatToHalfClamped(line.offset), {}};
  stored.line = {HalfToFloat(stored.scale), HalfToFloat(stored.offset)};
  return stored;
}

// Levels as unsigned codes: low nibbles of value i and i + 16 in byte i, fifth bits apart.
struct Packed {
  uint32_t high_bits = 0;
  uint8_t nibbles[kBlock / 2];
};

Packed Pack(const float* levels, float bias) noexcept {
  Packed packed;
  uint32_t codes[kBlock];
  for (size_t i = 0; i < kBlock; ++i) {
    codes[i] = static_cast<uint32_t>(levels[i] + bias);
    packed.high_bits |= (codes[i] >> 4) << i;
  }
  for (size_t i = 0; i < kBlock / 2; ++i) {
    packed.nibbles[i] = static_cast<uint8_t>((codes[i] & 0xF) | (codes[i + 16] & 0xF) << 4);
  }
  return packed;
}

// Levels -half..half - 1 around zero.
template <typename Block>
Packed FitSymmetric(const float* x, float half, Block& block) noexcept {
  const StoredLine stored = Store({FitScale<kBlock>(x, EvenLevels{-half, half - 1}), 0});
  block.scale = stored.scale;
  float levels[kBlock];
  NearestLevels<kBlock>(x, stored.line, EvenLevels{-half, half - 1}, levels);
  return Pack(levels, half);
}

// Levels 0..highest above a minimum.
template <typename Block>
Packed FitAffine(const float* x, float highest, Block& block) noexcept {
  const StoredLine stored = Store(FitLine<kBlock>(x, highest, false));
  block.scale = stored.scale;
  block.min = stored.offset;
  float levels[kBlock];
  NearestLevels<kBlock>(x, stored.line, EvenLevels{0, highest}, levels);
  return Pack(levels, 0);
}

}  // namespace

void QuantizeQ4_0(const float* x, std::byte* out) noexcept {
  BlockQ4_0 block;
  const Packed packed = FitSymmetric(x, 8, block);
  std::memcpy(block.nibbles, packed.nibbles, sizeof block.nibbles);
  std::memcpy(out, &block, sizeof block);
}

void QuantizeQ5_0(const float* x, std::byte* out) noexcept {
  BlockQ5_0 block;
  const Packed packed = FitSymmetric(x, 16, block);
  block.high_bits = packed.high_bits;
  std::memcpy(block.nibbles, packed.nibbles, sizeof block.nibbles);
  std::memcpy(out, &block, sizeof block);
}

void QuantizeQ4_1(const float* x, std::byte* out) noexcept {
  BlockQ4_1 block;
  const Packed packed = FitAffine(x, 15, block);
  std::memcpy(block.nibbles, packed.nibbles, sizeof block.nibbles);
  std::memcpy(out, &block, sizeof block);
}

void QuantizeQ5_1(const float* x, std::byte* out) noexcept {
  BlockQ5_1 block;
  const Packed packed = FitAffine(x, 31, block);
  block.high_bits = packed.high_bits;
  std::memcpy(block.nibbles, packed.nibbles, sizeof block.nibbles);
  std::memcpy(out, &block, sizeof block);
}

void QuantizeIq4Nl(const float* x, std::byte* out) noexcept {
  const StoredLine stored = Store({FitScale<kBlock>(x, Iq4Levels{}), 0});
  float levels[kBlock];
  NearestLevels<kBlock>(x, stored.line, Iq4Levels{}, levels);
  for (float& level : levels) {  // to its index
    const auto at = std::ranges::find(kIq4Values, static_cast<int8_t>(level));
    level = static_cast<float>(at - kIq4Values);
  }
  const Packed packed = Pack(levels, 0);
  BlockIq4Nl block;
  block.scale = stored.scale;
  std::memcpy(block.nibbles, packed.nibbles, sizeof block.nibbles);
  std::memcpy(out, &block, sizeof block);
}

// Of scales from max / 127 (the usual choice) to 14 % above it, the one with the least squared
// error: which values fall near a level is luck, and 49 draws find 9 % less error than one.
// all-MiniLM-L6-v2 against sentence-transformers, 225 texts: least cosine 0.99933 -> 0.99952.
void QuantizeQ8_0(const float* x, std::byte* out) noexcept {
  constexpr float kMaxLevel = 127.0f;
  constexpr int kNumScales = 49;
  constexpr float kStep = 0.12f / 48;
  float max_abs = 0;
  for (size_t i = 0; i < kBlock; ++i) max_abs = std::max(max_abs, std::fabs(x[i]));
  float best_error = INFINITY;
  BlockQ8_0 best = {};
  for (int candidate = 0; candidate < kNumScales; ++candidate) {
    const float top = kMaxLevel * (1 - kStep * static_cast<float>(candidate));
    const StoredLine stored = Store({max_abs / top, 0});
    float levels[kBlock];
    const float error =
        NearestLevels<kBlock>(x, stored.line, EvenLevels{-kMaxLevel, kMaxLevel}, levels);
    if (candidate > 0 && !(error < best_error)) continue;
    best_error = error;
    best.scale = stored.scale;
    for (size_t i = 0; i < kBlock; ++i) best.values[i] = static_cast<int8_t>(levels[i]);
  }
  std::memcpy(out, &best, sizeof best);
}

}  // namespace vade::quant
