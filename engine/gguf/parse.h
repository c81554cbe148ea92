// Validation of one GGUF file image, versions 2 and 3. Nothing in it is trusted: every count is
// checked against the bytes left before memory is taken for it.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/value.h"
#include "engine/quant/tensor_type.h"

namespace vade::gguf {

inline constexpr uint32_t kMagic = 0x46554747;  // "GGUF", little-endian
inline constexpr uint32_t kVersion = 3;
inline constexpr uint32_t kDefaultAlignment = 32;
inline constexpr uint32_t kMaxAlignment = 65536;
inline constexpr size_t kMaxDims = 4;
inline constexpr uint64_t kMaxKeyBytes = 65535;  // the format's own limit
inline constexpr uint64_t kMaxStringBytes = uint64_t{64} << 20;
inline constexpr uint64_t kMaxTensorNameBytes = 64;  // the format's own limit

/// One tensor: views its file.
struct TensorInfo {
  std::string_view name;
  quant::TensorType type = quant::TensorType::kF32;
  uint32_t num_dims = 0;
  std::array<uint64_t, kMaxDims> dims{1, 1, 1, 1};  // dims[0] is contiguous; unused ones are 1
  uint64_t num_values = 0;
  std::span<const std::byte> data;
  uint64_t offset = 0;  // of its entry in the table, for messages
};

/// "[384, 30522]": the order of the file, fastest dimension first.
[[nodiscard]] std::string ShapeToString(const TensorInfo& tensor);

struct ParsedImage {
  uint32_t version = 0;
  uint32_t alignment = kDefaultAlignment;
  std::vector<KeyValue> metadata;   // in file order, keys unique
  std::vector<TensorInfo> tensors;  // in file order, names unique, data disjoint
  uint64_t data_offset = 0;
};

/// `file_name` goes into messages. The result views `bytes`.
/// Errors: kCorruptData, or kUnsupported for a version, byte order or tensor type we do not know.
[[nodiscard]] Result<ParsedImage> ParseImage(std::span<const std::byte> bytes,
                                             std::string_view file_name);

}  // namespace vade::gguf
