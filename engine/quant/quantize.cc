// Range checks first: what a type cannot hold is refused, not stored as infinity.
#include "engine/quant/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/quant/block_types.h"
#include "engine/quant/half.h"

namespace vade::quant {
namespace {

constexpr float kMaxHalf = 65504.0f;

constexpr float kMaxLevel = 127.0f;

// To the nearest integer for |x| < 2^22, ties to even: adding 1.5 * 2^23 leaves no fraction bits.
// std::round would be a call per value on baseline x86-64.
float RoundSmall(float x) noexcept {
  constexpr float kShift = 12582912.0f;
  return (x + kShift) - kShift;
}

// The levels of one block under a scale; returns the squared error they leave.
float Levels(const float* x, float scale, float* levels) noexcept {
  const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
  float error = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    // A subnormal scale has an infinite inverse: clamp before rounding; 0 * inf is no level.
    const float wanted = std::isfinite(inverse) ? x[i] * inverse : 0.0f;
    levels[i] = RoundSmall(std::clamp(wanted, -kMaxLevel, kMaxLevel));
    const float difference = levels[i] * scale - x[i];
    error += difference * difference;
  }
  return error;
}

// Of scales from max / 127 (the usual choice) to 14 % above it, the one with the least squared
// error: which values fall near a level is luck, and 49 draws find 9 % less error than one.
// all-MiniLM-L6-v2 against sentence-transformers, 225 texts: least cosine 0.99933 -> 0.99952.
void QuantizeQ8Block(const float* x, std::byte* out) noexcept {
  constexpr int kNumScales = 49;
  constexpr float kStep = 0.12f / 48;
  float max_abs = 0;
  for (size_t i = 0; i < kBlock; ++i) max_abs = std::max(max_abs, std::fabs(x[i]));
  float best_error = INFINITY;
  BlockQ8_0 best = {};
  for (int candidate = 0; candidate < kNumScales; ++candidate) {
    const float top = kMaxLevel * (1 - kStep * static_cast<float>(candidate));
    const Half scale = FloatToHalf(std::min(max_abs / top, kMaxHalf));
    float levels[kBlock];
    const float error = Levels(x, HalfToFloat(scale), levels);
    if (candidate > 0 && !(error < best_error)) continue;
    best_error = error;
    best.scale = scale;
    for (size_t i = 0; i < kBlock; ++i) best.values[i] = static_cast<int8_t>(levels[i]);
  }
  std::memcpy(out, &best, sizeof best);
}

// What the type cannot hold is refused rather than stored as infinity.
Result<void> CheckRange(TensorType type, std::span<const float> values) {
  float limit = INFINITY;
  if (type == TensorType::kF16) limit = kMaxHalf;
  if (type == TensorType::kQ8_0) limit = kMaxHalf * 127.0f;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i]) && std::fabs(values[i]) <= limit) continue;
    return Fail(ErrorCode::kCorruptData, "value " + std::to_string(i) + " is " +
                                             std::to_string(values[i]) + ", not representable as " +
                                             std::string(InfoOf(type).name));
  }
  return {};
}

}  // namespace

bool CanQuantize(TensorType type) noexcept {
  return type == TensorType::kF32 || type == TensorType::kF16 || type == TensorType::kBf16 ||
         type == TensorType::kQ8_0;
}

Result<std::vector<std::byte>> Quantize(TensorType type, std::span<const float> values) {
  const TensorTypeInfo& info = InfoOf(type);
  if (!CanQuantize(type)) {
    return Fail(ErrorCode::kUnsupported, "cannot write type " + std::string(info.name));
  }
  const auto size_bytes = StoredBytes(info, values.size());
  if (!size_bytes) {
    return Fail(ErrorCode::kInvalidArgument, std::to_string(values.size()) +
                                                 " values are not whole " + std::string(info.name) +
                                                 " blocks of " + std::to_string(info.block_values));
  }
  VADE_CHECK_OK(CheckRange(type, values));
  std::vector<std::byte> out(*size_bytes);
  if (out.empty()) return out;  // memcpy takes no null pointers, not even for nothing
  const auto convert = [&](uint16_t (*to_bits)(float)) {
    for (size_t i = 0; i < values.size(); ++i) {
      const uint16_t bits = to_bits(values[i]);
      std::memcpy(out.data() + 2 * i, &bits, sizeof bits);
    }
  };
  if (type == TensorType::kF32) {
    std::memcpy(out.data(), values.data(), out.size());
  } else if (type == TensorType::kF16) {
    convert([](float v) { return FloatToHalf(v); });
  } else if (type == TensorType::kBf16) {
    convert([](float v) { return FloatToBf16(v); });
  } else {
    for (size_t i = 0; i < values.size(); i += kBlock) {
      QuantizeQ8Block(&values[i], out.data() + i / kBlock * sizeof(BlockQ8_0));
    }
  }
  return out;
}

}  // namespace vade::quant
