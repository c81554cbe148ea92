// IEEE binary16 and bfloat16 to and from float32, in plain integer arithmetic (the specification;
// kernels use the CPU's conversions, which agree bit for bit).
#pragma once

#include <bit>
#include <cstdint>

namespace vade::quant {

/// Exact: every binary16 value, subnormal and NaN included, is a binary32 value.
[[nodiscard]] constexpr float HalfToFloat(uint16_t half) noexcept {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1Fu;
  const uint32_t mantissa = half & 0x3FFu;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }
  // Subnormal: mantissa * 2^-24, exact in binary32.
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

/// Rounds to nearest even; overflow becomes infinity; NaN stays NaN (quiet).
[[nodiscard]] constexpr uint16_t FloatToHalf(float value) noexcept {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) {
    return static_cast<uint16_t>(sign | 0x7E00u | ((magnitude >> 13) & 0x1FFu));
  }
  if (magnitude >= 0x477FF000u) return static_cast<uint16_t>(sign | 0x7C00u);  // >= 65520
  if (magnitude < 0x38800000u) {  // below 2^-14: adding 0.5 aligns the mantissa and rounds it
    const float aligned = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(aligned) - 0x3F000000u));
  }
  const uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + odd) >> 13));
}

inline constexpr float kMaxHalf = 65504.0f;

/// Like FloatToHalf, but overflow becomes the largest finite value.
[[nodiscard]] constexpr uint16_t FloatToHalfClamped(float value) noexcept {
  return FloatToHalf(value > kMaxHalf ? kMaxHalf : value < -kMaxHalf ? -kMaxHalf : value);
}

[[nodiscard]] constexpr float Bf16ToFloat(uint16_t bf16) noexcept {
  return std::bit_cast<float>(static_cast<uint32_t>(bf16) << 16);
}

/// Rounds to nearest even; NaN stays NaN (quiet).
[[nodiscard]] constexpr uint16_t FloatToBf16(float value) noexcept {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>((bits >> 16) | 64u);
  return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace vade::quant
