// Least-squares fits of a small group of values to levels: the search shared by the quantisers.
//
// The problem: which scale s (and offset b) leaves the least sum of (x - s * level - b)^2 when
// every x takes its nearest level? The levels change with s, so there is no closed form; but for
// given levels there is (a regression of x on the levels). So a few dozen scales around the one
// that just spans the group propose levels, each proposal is scored by the error its regression
// leaves, and the best is refined by taking the nearest levels again. llama.cpp searches likewise,
// with errors weighted by size; here they are not weighted, which is what the round-trip error
// measures.
#pragma once

#include <cstddef>

#include "engine/quant/block_types.h"

namespace vade::quant {

/// x ~ scale * level + offset.
struct Line {
  float scale = 0;
  float offset = 0;
};

/// To the nearest integer for |x| < 2^22, ties to even: adding 1.5 * 2^23 leaves no fraction bits.
/// std::round would be a call per value on baseline x86-64.
[[nodiscard]] inline float RoundSmall(float x) noexcept {
  constexpr float kShift = 12582912.0f;
  return (x + kShift) - kShift;
}

/// Like std::clamp; compiles to minps and maxps. NaN becomes low.
[[nodiscard]] inline float Clamp(float x, float low, float high) noexcept {
  const float raised = x > low ? x : low;
  return raised < high ? raised : high;
}

/// 1 / x, or 0 where that is not finite: a scale too small to divide by gives level 0 everywhere.
[[nodiscard]] float Reciprocal(float x) noexcept;

/// The integers low..high.
struct EvenLevels {
  float low, high;
  [[nodiscard]] float operator()(float x) const noexcept { return RoundSmall(Clamp(x, low, high)); }
};

/// kIq4Values.
struct Iq4Levels {
  static constexpr float low = kIq4Values[0];
  static constexpr float high = kIq4Values[15];
  [[nodiscard]] float operator()(float x) const noexcept {
    float level = low;
    for (size_t i = 1; i < 16; ++i) {
      const float step = static_cast<float>(kIq4Values[i] - kIq4Values[i - 1]);
      level += x > static_cast<float>(kIq4Values[i]) - step / 2 ? step : 0.0f;
    }
    return level;
  }
};

/// The nearest levels of kN values on a line. Returns the squared error they leave.
template <size_t kN, typename Levels>
float NearestLevels(const float* x, Line line, const Levels& nearest, float* levels) noexcept;

/// The scale, of either sign, for levels on both sides of 0; offset 0.
template <size_t kN, typename Levels>
[[nodiscard]] float FitScale(const float* x, const Levels& nearest) noexcept;

/// The line for levels 0..high, scale >= 0. With below_zero the offset is at most 0 (the K formats
/// store its negative as an unsigned number).
template <size_t kN>
[[nodiscard]] Line FitLine(const float* x, float high, bool below_zero) noexcept;

}  // namespace vade::quant
