// The tensors of a Hugging Face folder, whichever files they are in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/import/row_writer.h"
#include "engine/import/safetensors.h"
#include "engine/import/torch_file.h"

namespace vade::import {

struct SourceTensor {
  std::string file;             // its name, for messages
  std::string dtype;            // "F32", "I32" ... in the words of safetensors
  std::vector<uint64_t> shape;  // row-major, slowest dimension first
  std::span<const std::byte> data;
};

/// Immutable; tensors view the mapped files and live as long as the object.
class WeightFolder {
 public:
  /// model.safetensors or pytorch_model.bin, or the files that an index of theirs (named with
  /// ".index.json") lists; the first of these that is there.
  /// Errors: kNotFound without any; kCorruptData for a tensor that the index and its file do
  /// not agree on, or that two files have; of the files.
  [[nodiscard]] static Result<WeightFolder> Open(const std::filesystem::path& folder);

  /// nullptr when absent.
  [[nodiscard]] const SourceTensor* Find(std::string_view name) const noexcept;
  /// By name.
  [[nodiscard]] const std::map<std::string, SourceTensor, std::less<>>& tensors() const noexcept {
    return tensors_;
  }

 private:
  WeightFolder() = default;
  Result<void> AddFile(const std::filesystem::path& path);
  Result<void> AddTensors(const std::string& file, const std::vector<SafeTensor>& tensors);
  Result<void> AddListed(const std::filesystem::path& index);

  std::vector<SafeTensorsFile> safetensors_;
  std::vector<TorchFile> torch_;
  std::map<std::string, SourceTensor, std::less<>> tensors_;
};

/// A tensor of floats as rows of its last dimension (a scalar is one row of one).
/// Errors: kUnsupported naming the tensor for another dtype; kCorruptData for no values.
[[nodiscard]] Result<FloatRows> RowsOf(std::string_view name, const SourceTensor& tensor);

}  // namespace vade::import
