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

void QuantizeQ8Block(const float* x, std::byte* out) noexcept {
  float max_abs = 0;
  for (size_t i = 0; i < kBlock; ++i) max_abs = std::max(max_abs, std::fabs(x[i]));
  const float scale = max_abs / 127.0f;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  BlockQ8_0 block;
  block.scale = FloatToHalf(scale);
  for (size_t i = 0; i < kBlock; ++i) {
    // A subnormal scale has an infinite inverse: clamp, and 0 * inf is not a level either.
    const float level = std::round(x[i] * inverse);
    block.values[i] = static_cast<int8_t>(std::isnan(level) ? 0 : std::clamp(level, -127.f, 127.f));
  }
  std::memcpy(out, &block, sizeof block);
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
