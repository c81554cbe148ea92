// The K formats: 256 values in groups of 16 or 32; a group's scale (and minimum) is itself a small
// integer times the scale (and minimum) of the whole.
//
// Each group is fitted alone, the integers are rounded, and then each group tries the integers next
// to its own: with the rounding of the other number known, a neighbour is often better. Last, the
// two common factors are fitted once more to all 256 values.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/quant/block_types.h"
#include "engine/quant/half.h"
#include "engine/quant/quantize_blocks.h"
#include "engine/quant/quantize_fit.h"

namespace vade::quant {
namespace {

// Among the subnormals (weights below 1e-3) rounding down could cost the largest group up to all of
// its scale, because no integer makes up for it: there, away from zero.
Half ToCommonFactor(float x) noexcept {
  const Half half = FloatToHalfClamped(x);
  const bool is_subnormal = (half & 0x7C00u) == 0;
  const bool is_short = std::fabs(HalfToFloat(half)) < std::fabs(x);
  return is_subnormal && is_short ? static_cast<Half>(half + 1) : half;
}

// A super-block x ~ scale * scales[g] * level (- min * mins[g]).
template <size_t kGroup>
struct SuperBlock {
  static constexpr size_t kNumGroups = kSuperBlock / kGroup;
  Half scale = 0;
  Half min = 0;
  float scales[kNumGroups] = {};
  float mins[kNumGroups] = {};
  float levels[kSuperBlock] = {};
};

// Levels 0..top; scales and mins 0..cap.
template <size_t kGroup>
struct AffineFit {
  const float* x;
  float top, cap;
  SuperBlock<kGroup> block = {};

  Line LineOf(float scale, float min) const noexcept {
    return {HalfToFloat(block.scale) * scale, -(HalfToFloat(block.min) * min)};
  }

  // Tries the integers beside the rounded ones; keeps the levels of the best.
  void Settle(size_t g, float scale, float min) noexcept {
    float best_error = INFINITY;
    for (float ds = -1; ds <= 1; ++ds) {
      for (float dm = -1; dm <= 1; ++dm) {
        const float s = Clamp(scale + ds, 0, cap);
        const float m = Clamp(min + dm, 0, cap);
        float levels[kGroup];
        const float error =
            NearestLevels<kGroup>(x + g * kGroup, LineOf(s, m), EvenLevels{0, top}, levels);
        if (!(error < best_error)) continue;
        best_error = error;
        block.scales[g] = s;
        block.mins[g] = m;
        std::copy_n(levels, kGroup, block.levels + g * kGroup);
      }
    }
  }

  void Run() noexcept {
    Line lines[SuperBlock<kGroup>::kNumGroups];
    float max_scale = 0, max_min = 0;
    for (size_t g = 0; g < block.kNumGroups; ++g) {
      lines[g] = FitLine<kGroup>(x + g * kGroup, top, true);
      max_scale = std::max(max_scale, lines[g].scale);
      max_min = std::max(max_min, -lines[g].offset);
    }
    block.scale = ToCommonFactor(max_scale / cap);
    block.min = ToCommonFactor(max_min / cap);
    const float inverse_scale = Reciprocal(HalfToFloat(block.scale));
    const float inverse_min = Reciprocal(HalfToFloat(block.min));
    for (size_t g = 0; g < block.kNumGroups; ++g) {
      Settle(g, RoundSmall(Clamp(lines[g].scale * inverse_scale, 0, cap)),
             RoundSmall(Clamp(-lines[g].offset * inverse_min, 0, cap)));
    }
  }
};

// Levels low..-low - 1; scales cap_low..-cap_low - 1.
template <size_t kGroup>
struct SymmetricFit {
  const float* x;
  float low, cap_low;
  SuperBlock<kGroup> block = {};

  // Tries the integers beside the rounded one. A step is 1 % of the largest scale: within a few of
  // them the luck of which values fall near a level differs much.
  void Settle(size_t g, float scale) noexcept {
    constexpr float kReach = 5;
    float best_error = INFINITY;
    for (float ds = -kReach; ds <= kReach; ++ds) {
      const float s = Clamp(scale + ds, cap_low, -cap_low - 1);
      float levels[kGroup];
      const float error = NearestLevels<kGroup>(x + g * kGroup, {HalfToFloat(block.scale) * s, 0},
                                                EvenLevels{low, -low - 1}, levels);
      if (!(error < best_error)) continue;
      best_error = error;
      block.scales[g] = s;
      std::copy_n(levels, kGroup, block.levels + g * kGroup);
    }
  }

  void Run() noexcept {
    float scales[SuperBlock<kGroup>::kNumGroups];
    float peak = 0;
    for (size_t g = 0; g < block.kNumGroups; ++g) {
      scales[g] = FitScale<kGroup>(x + g * kGroup, EvenLevels{low, -low - 1});
      if (std::fabs(scales[g]) > std::fabs(peak)) peak = scales[g];
    }
    block.scale = ToCommonFactor(peak / cap_low);
    const float inverse = Reciprocal(HalfToFloat(block.scale));
    for (size_t g = 0; g < block.kNumGroups; ++g) {
      Settle(g, RoundSmall(Clamp(scales[g] * inverse, cap_low, -cap_low - 1)));
    }
  }
};

template <size_t kGroup>
SuperBlock<kGroup> FitAffine(const float* x, float top, float cap) noexcept {
  AffineFit<kGroup> fit{x, top, cap};
  fit.Run();
  return fit.block;
}

template <size_t kGroup>
SuperBlock<kGroup> FitSymmetric(const float* x, float low, float cap_low) noexcept {
  SymmetricFit<kGroup> fit{x, low, cap_low};
  fit.Run();
  return fit.block;
}

// Inverse of UnpackScaleMin in dequantize.cc.
void PackScalesAndMins(const SuperBlock<32>& fit, uint8_t (&packed)[12]) noexcept {
  std::ranges::fill(packed, uint8_t{0});
  for (size_t j = 0; j < 8; ++j) {
    const auto scale = static_cast<uint8_t>(fit.scales[j]);
    const auto min = static_cast<uint8_t>(fit.mins[j]);
    if (j < 4) {
      packed[j] = scale;
      packed[j + 4] = min;
    } else {
      packed[j + 4] = static_cast<uint8_t>((scale & 0xF) | (min & 0xF) << 4);
      packed[j - 4] = static_cast<uint8_t>(packed[j - 4] | (scale >> 4) << 6);
      packed[j] = static_cast<uint8_t>(packed[j] | (min >> 4) << 6);
    }
  }
}

// Low nibbles of two neighbouring groups of 32 share 32 bytes.
void PackNibbles(const float* levels, uint8_t* nibbles) noexcept {
  for (size_t i = 0; i < kSuperBlock / 2; ++i) {
    const size_t at = i / 32 * 64 + i % 32;
    const auto first = static_cast<uint32_t>(levels[at]);
    const auto second = static_cast<uint32_t>(levels[at + 32]);
    nibbles[i] = static_cast<uint8_t>((first & 0xF) | (second & 0xF) << 4);
  }
}

// The low two bits of four groups of 32 share 32 bytes.
template <typename Code>
void PackCrumbs(const Code& code_of, uint8_t* crumbs) noexcept {
  for (size_t i = 0; i < kSuperBlock / 4; ++i) {
    uint32_t byte = 0;
    for (size_t k = 0; k < 4; ++k) byte |= (code_of(i / 32 * 128 + k * 32 + i % 32) & 3u) << 2 * k;
    crumbs[i] = static_cast<uint8_t>(byte);
  }
}

}  // namespace

void QuantizeQ4K(const float* x, std::byte* out) noexcept {
  const auto fit = FitAffine<32>(x, 15, 63);
  BlockQ4K block = {};
  block.scale = fit.scale;
  block.min = fit.min;
  PackScalesAndMins(fit, block.scales);
  PackNibbles(fit.levels, block.nibbles);
  std::memcpy(out, &block, sizeof block);
}

void QuantizeQ5K(const float* x, std::byte* out) noexcept {
  const auto fit = FitAffine<32>(x, 31, 63);
  BlockQ5K block = {};
  block.scale = fit.scale;
  block.min = fit.min;
  PackScalesAndMins(fit, block.scales);
  PackNibbles(fit.levels, block.nibbles);
  for (size_t i = 0; i < kSuperBlock; ++i) {
    const auto high = static_cast<uint32_t>(fit.levels[i]) >> 4;
    block.high_bits[i % 32] = static_cast<uint8_t>(block.high_bits[i % 32] | high << (i / 32));
  }
  std::memcpy(out, &block, sizeof block);
}

void QuantizeQ6K(const float* x, std::byte* out) noexcept {
  const auto fit = FitSymmetric<16>(x, -32, -128);
  BlockQ6K block = {};
  block.scale = fit.scale;
  for (size_t g = 0; g < fit.kNumGroups; ++g) block.scales[g] = static_cast<int8_t>(fit.scales[g]);
  const auto code_of = [&](size_t i) { return static_cast<uint32_t>(fit.levels[i] + 32); };
  for (size_t i = 0; i < kSuperBlock / 2; ++i) {
    const size_t at = i / 64 * 128 + i % 64;
    block.low_nibbles[i] =
        static_cast<uint8_t>((code_of(at) & 0xF) | (code_of(at + 64) & 0xF) << 4);
  }
  PackCrumbs([&](size_t i) { return code_of(i) >> 4; }, block.high_crumbs);
  std::memcpy(out, &block, sizeof block);
}

void QuantizeQ2K(const float* x, std::byte* out) noexcept {
  const auto fit = FitAffine<16>(x, 3, 15);
  BlockQ2K block = {};
  block.scale = fit.scale;
  block.min = fit.min;
  for (size_t g = 0; g < fit.kNumGroups; ++g) {
    const auto min = static_cast<uint32_t>(fit.mins[g]);
    block.scales[g] = static_cast<uint8_t>(static_cast<uint32_t>(fit.scales[g]) | min << 4);
  }
  PackCrumbs([&](size_t i) { return static_cast<uint32_t>(fit.levels[i]); }, block.crumbs);
  std::memcpy(out, &block, sizeof block);
}

void QuantizeQ3K(const float* x, std::byte* out) noexcept {
  const auto fit = FitSymmetric<16>(x, -4, -32);
  BlockQ3K block = {};
  block.scale = fit.scale;
  for (size_t g = 0; g < fit.kNumGroups; ++g) {  // inverse of UnpackQ3Scale in dequantize.cc
    const auto code = static_cast<uint32_t>(fit.scales[g] + 32);
    const uint32_t low = g < 8 ? code & 0xF : (code & 0xF) << 4;
    block.scales[g % 8] = static_cast<uint8_t>(block.scales[g % 8] | low);
    const uint32_t high = (code >> 4) << 2 * (g / 4);
    block.scales[8 + g % 4] = static_cast<uint8_t>(block.scales[8 + g % 4] | high);
  }
  const auto code_of = [&](size_t i) { return static_cast<uint32_t>(fit.levels[i] + 4); };
  PackCrumbs(code_of, block.crumbs);
  for (size_t i = 0; i < kSuperBlock; ++i) {
    const uint32_t high = (code_of(i) >> 2) << (i / 32);
    block.high_mask[i % 32] = static_cast<uint8_t>(block.high_mask[i % 32] | high);
  }
  std::memcpy(out, &block, sizeof block);
}

}  // namespace vade::quant
