// Range checks first: what a type cannot hold is refused, not stored as infinity.
#include "engine/quant/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/quant/half.h"
#include "engine/quant/quantize_blocks.h"

namespace vade::quant {
namespace {

// The quantised types that can be written, and the largest magnitude each can hold: of the one
// scale per block what levels of both signs reach, else the stored minimum alone.
struct Quantizer {
  TensorType type;
  QuantizeBlockFn quantize;
  float limit;
};

constexpr Quantizer kQuantizers[] = {
    {TensorType::kQ4_0, QuantizeQ4_0, kMaxHalf * 7},
    {TensorType::kQ4_1, QuantizeQ4_1, kMaxHalf},
    {TensorType::kQ5_0, QuantizeQ5_0, kMaxHalf * 15},
    {TensorType::kQ5_1, QuantizeQ5_1, kMaxHalf},
    {TensorType::kQ8_0, QuantizeQ8_0, kMaxHalf * 127},
    {TensorType::kQ2K, QuantizeQ2K, kMaxHalf},
    {TensorType::kQ3K, QuantizeQ3K, kMaxHalf},
    {TensorType::kQ4K, QuantizeQ4K, kMaxHalf},
    {TensorType::kQ5K, QuantizeQ5K, kMaxHalf},
    {TensorType::kQ6K, QuantizeQ6K, kMaxHalf},
    {TensorType::kIq4Nl, QuantizeIq4Nl, kMaxHalf * 113},
};

const Quantizer* FindQuantizer(TensorType type) noexcept {
  const auto* const it = std::ranges::find(kQuantizers, type, &Quantizer::type);
  return it == std::end(kQuantizers) ? nullptr : it;
}

tl::unexpected<Error> WrongSize(const TensorTypeInfo& info, size_t num_values) {
  return Fail(ErrorCode::kInvalidArgument, std::to_string(num_values) + " values are not whole " +
                                               std::string(info.name) + " blocks of " +
                                               std::to_string(info.block_values));
}

// What the type cannot hold is refused rather than stored as infinity.
Result<void> CheckRange(TensorType type, std::span<const float> values) {
  float limit = type == TensorType::kF16 ? kMaxHalf : INFINITY;
  if (const Quantizer* quantizer = FindQuantizer(type)) limit = quantizer->limit;
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
         FindQuantizer(type) != nullptr;
}

Result<std::vector<std::byte>> Quantize(TensorType type, std::span<const float> values) {
  std::vector<std::byte> out(StoredBytes(InfoOf(type), values.size()).value_or(0));
  VADE_CHECK_OK(QuantizeTo(type, values, out));
  return out;
}

Result<void> QuantizeTo(TensorType type, std::span<const float> values, std::span<std::byte> out) {
  const TensorTypeInfo& info = InfoOf(type);
  if (!CanQuantize(type)) {
    return Fail(ErrorCode::kUnsupported, "cannot write type " + std::string(info.name));
  }
  const auto size_bytes = StoredBytes(info, values.size());
  if (!size_bytes || *size_bytes != out.size()) return WrongSize(info, values.size());
  VADE_CHECK_OK(CheckRange(type, values));
  if (out.empty()) return {};  // memcpy takes no null pointers, not even for nothing
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
    const QuantizeBlockFn quantize = FindQuantizer(type)->quantize;
    for (size_t i = 0; i < values.size() / info.block_values; ++i) {
      quantize(&values[i * info.block_values], out.data() + i * info.block_bytes);
    }
  }
  return {};
}

}  // namespace vade::quant
