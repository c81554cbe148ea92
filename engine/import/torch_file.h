// Reader of a torch file of weights (pytorch_model.bin): a zip container of one pickle and the
// storages. The pickle is read, never run (torch_pickle.h).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/base/mapped_file.h"
#include "engine/base/result.h"
#include "engine/import/safetensors.h"

namespace vade::import {

/// Immutable; tensors view the mapping and live as long as the object.
class TorchFile {
 public:
  /// Errors: kUnsupported for files of torch before 1.6 and for tensors that are not stored row by
  /// row; kCorruptData for tensors outside their storage; ReadTorchPickle's.
  [[nodiscard]] static Result<TorchFile> Open(const std::filesystem::path& path);
  /// From memory that outlives the object.
  [[nodiscard]] static Result<TorchFile> Parse(std::span<const std::byte> bytes, std::string name);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// In the pickle's order. Extents may overlap: tied weights share a storage.
  [[nodiscard]] const std::vector<SafeTensor>& tensors() const noexcept { return tensors_; }

 private:
  TorchFile() = default;
  Result<void> Read(std::span<const std::byte> bytes);

  std::string name_;
  std::vector<MappedFile> mapping_;  // none or one
  std::vector<SafeTensor> tensors_;
};

}  // namespace vade::import
