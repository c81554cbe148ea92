// The tensor types of GGUF files and one table of facts about each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vade::quant {

/// Ids as stored in GGUF files; 4, 5, 31-33 and 36-38 were removed from the format.
enum class TensorType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2K = 10,
  kQ3K = 11,
  kQ4K = 12,
  kQ5K = 13,
  kQ6K = 14,
  kQ8K = 15,
  kIq2Xxs = 16,
  kIq2Xs = 17,
  kIq3Xxs = 18,
  kIq1S = 19,
  kIq4Nl = 20,
  kIq3S = 21,
  kIq2S = 22,
  kIq4Xs = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIq1M = 29,
  kBf16 = 30,
  kTq1_0 = 34,
  kTq2_0 = 35,
  kMxfp4 = 39,
  kNvfp4 = 40,
};

/// Shapes: blocks [num_values / block_values] in the type's layout, out [num_values] f32.
/// REQUIRES num_values % block_values == 0. blocks may be unaligned.
using DequantizeFn = void (*)(const std::byte* blocks, float* out, size_t num_values) noexcept;

struct TensorTypeInfo {
  TensorType type;
  std::string_view name;    // as llama.cpp prints it: "q8_0", "q4_K"
  uint32_t block_values;    // values per block; rows are whole blocks
  uint32_t block_bytes;     // bytes per block
  DequantizeFn dequantize;  // nullptr: known by size only
};

/// All known types, in id order.
[[nodiscard]] std::span<const TensorTypeInfo> TensorTypes() noexcept;

/// nullptr for an unknown or removed id.
[[nodiscard]] const TensorTypeInfo* FindTensorType(uint32_t id) noexcept;

/// Case-insensitive; nullptr for an unknown name.
[[nodiscard]] const TensorTypeInfo* FindTensorType(std::string_view name) noexcept;

/// The facts of a type that was validated before.
[[nodiscard]] const TensorTypeInfo& InfoOf(TensorType type) noexcept;

/// Bytes of num_values values; nothing if not whole blocks or too large for 64 bits.
[[nodiscard]] std::optional<uint64_t> StoredBytes(const TensorTypeInfo& info, uint64_t num_values);

}  // namespace vade::quant
