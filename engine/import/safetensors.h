// Reader of one safetensors file: an 8-byte header length, a JSON header, tensor data. Nothing in
// it is trusted. Format: https://huggingface.co/docs/safetensors
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/mapped_file.h"
#include "engine/base/result.h"
#include "engine/quant/tensor_type.h"

namespace vade::import {

struct SafeTensor {
  std::string name;
  std::string dtype;            // "F32", "I64" ... as in the file
  std::vector<uint64_t> shape;  // row-major, slowest dimension first; empty for a scalar
  uint64_t num_values = 0;
  std::span<const std::byte> data;  // views the mapping
};

/// Immutable; tensors view the mapping and live as long as the object.
class SafeTensorsFile {
 public:
  [[nodiscard]] static Result<SafeTensorsFile> Open(const std::filesystem::path& path);
  /// From memory that outlives the object, for tests and fuzzing.
  [[nodiscard]] static Result<SafeTensorsFile> Parse(std::span<const std::byte> bytes,
                                                     std::string name);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Sorted by name; extents disjoint and inside the file.
  [[nodiscard]] const std::vector<SafeTensor>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] const SafeTensor* Find(std::string_view tensor) const noexcept;

  /// The values of an F32, F16 or BF16 tensor as float32.
  /// Errors: kUnsupported for another dtype.
  [[nodiscard]] Result<std::vector<float>> ToFloats(const SafeTensor& tensor) const;

 private:
  SafeTensorsFile() = default;
  Result<void> ReadHeader(std::span<const std::byte> bytes);

  std::string name_;
  std::vector<MappedFile> mapping_;  // none or one
  std::vector<SafeTensor> tensors_;
};

}  // namespace vade::import
