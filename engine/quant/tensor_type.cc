// The table.
#include "engine/quant/tensor_type.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/quant/block_types.h"
#include "engine/quant/dequantize.h"

namespace vade::quant {
namespace {

constexpr uint32_t kS = kSuperBlock;

constexpr std::array kTypes = {
    TensorTypeInfo{TensorType::kF32, "f32", 1, 4, DequantizeF32},
    TensorTypeInfo{TensorType::kF16, "f16", 1, 2, DequantizeF16},
    TensorTypeInfo{TensorType::kQ4_0, "q4_0", kBlock, sizeof(BlockQ4_0), DequantizeQ4_0},
    TensorTypeInfo{TensorType::kQ4_1, "q4_1", kBlock, sizeof(BlockQ4_1), DequantizeQ4_1},
    TensorTypeInfo{TensorType::kQ5_0, "q5_0", kBlock, sizeof(BlockQ5_0), DequantizeQ5_0},
    TensorTypeInfo{TensorType::kQ5_1, "q5_1", kBlock, sizeof(BlockQ5_1), DequantizeQ5_1},
    TensorTypeInfo{TensorType::kQ8_0, "q8_0", kBlock, sizeof(BlockQ8_0), DequantizeQ8_0},
    TensorTypeInfo{TensorType::kQ8_1, "q8_1", kBlock, 36, nullptr},
    TensorTypeInfo{TensorType::kQ2K, "q2_K", kS, sizeof(BlockQ2K), DequantizeQ2K},
    TensorTypeInfo{TensorType::kQ3K, "q3_K", kS, sizeof(BlockQ3K), DequantizeQ3K},
    TensorTypeInfo{TensorType::kQ4K, "q4_K", kS, sizeof(BlockQ4K), DequantizeQ4K},
    TensorTypeInfo{TensorType::kQ5K, "q5_K", kS, sizeof(BlockQ5K), DequantizeQ5K},
    TensorTypeInfo{TensorType::kQ6K, "q6_K", kS, sizeof(BlockQ6K), DequantizeQ6K},
    TensorTypeInfo{TensorType::kQ8K, "q8_K", kS, 292, nullptr},
    TensorTypeInfo{TensorType::kIq2Xxs, "iq2_xxs", kS, sizeof(BlockIq2Xxs), DequantizeIq2Xxs},
    TensorTypeInfo{TensorType::kIq2Xs, "iq2_xs", kS, sizeof(BlockIq2Xs), DequantizeIq2Xs},
    TensorTypeInfo{TensorType::kIq3Xxs, "iq3_xxs", kS, sizeof(BlockIq3Xxs), DequantizeIq3Xxs},
    TensorTypeInfo{TensorType::kIq1S, "iq1_s", kS, sizeof(BlockIq1S), DequantizeIq1S},
    TensorTypeInfo{TensorType::kIq4Nl, "iq4_nl", kBlock, sizeof(BlockIq4Nl), DequantizeIq4Nl},
    TensorTypeInfo{TensorType::kIq3S, "iq3_s", kS, sizeof(BlockIq3S), DequantizeIq3S},
    TensorTypeInfo{TensorType::kIq2S, "iq2_s", kS, sizeof(BlockIq2S), DequantizeIq2S},
    TensorTypeInfo{TensorType::kIq4Xs, "iq4_xs", kS, sizeof(BlockIq4Xs), DequantizeIq4Xs},
    TensorTypeInfo{TensorType::kI8, "i8", 1, 1, nullptr},
    TensorTypeInfo{TensorType::kI16, "i16", 1, 2, nullptr},
    TensorTypeInfo{TensorType::kI32, "i32", 1, 4, nullptr},
    TensorTypeInfo{TensorType::kI64, "i64", 1, 8, nullptr},
    TensorTypeInfo{TensorType::kF64, "f64", 1, 8, nullptr},
    TensorTypeInfo{TensorType::kIq1M, "iq1_m", kS, sizeof(BlockIq1M), DequantizeIq1M},
    TensorTypeInfo{TensorType::kBf16, "bf16", 1, 2, DequantizeBf16},
    TensorTypeInfo{TensorType::kTq1_0, "tq1_0", kS, sizeof(BlockTq1_0), DequantizeTq1_0},
    TensorTypeInfo{TensorType::kTq2_0, "tq2_0", kS, sizeof(BlockTq2_0), DequantizeTq2_0},
    TensorTypeInfo{TensorType::kMxfp4, "mxfp4", kBlock, sizeof(BlockMxfp4), DequantizeMxfp4},
    TensorTypeInfo{TensorType::kNvfp4, "nvfp4", 64, sizeof(BlockNvfp4), DequantizeNvfp4},
};

bool EqualIgnoringCase(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

std::span<const TensorTypeInfo> TensorTypes() noexcept { return kTypes; }

const TensorTypeInfo* FindTensorType(uint32_t id) noexcept {
  const auto it = std::ranges::find(kTypes, static_cast<TensorType>(id), &TensorTypeInfo::type);
  return it == kTypes.end() ? nullptr : &*it;
}

const TensorTypeInfo* FindTensorType(std::string_view name) noexcept {
  const auto it = std::ranges::find_if(
      kTypes, [&](const TensorTypeInfo& info) { return EqualIgnoringCase(info.name, name); });
  return it == kTypes.end() ? nullptr : &*it;
}

const TensorTypeInfo& InfoOf(TensorType type) noexcept {
  const TensorTypeInfo* info = FindTensorType(static_cast<uint32_t>(type));
  VADE_CHECK(info != nullptr);
  return *info;
}

std::optional<uint64_t> StoredBytes(const TensorTypeInfo& info, uint64_t num_values) {
  if (num_values % info.block_values != 0) return std::nullopt;
  return CheckedMul<uint64_t>(num_values / info.block_values, info.block_bytes);
}

}  // namespace vade::quant
