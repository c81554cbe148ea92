// Finds tensors by name, checks each against the shape the hyper-parameters ask for, and remembers
// which were asked for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/tensor/packed_matrix.h"

namespace vade::model {

/// REQUIRES the file outlives it. All errors are kCorruptData naming the tensor, its shape and the
/// expected one, or kUnsupported for a type that cannot be read.
class TensorBinder {
 public:
  explicit TensorBinder(const gguf::File& file) : file_(file) {}

  [[nodiscard]] const gguf::File& file() const noexcept { return file_; }
  [[nodiscard]] bool Has(const std::string& name) const {
    return file_.FindTensor(name) != nullptr;
  }

  /// A tensor of this shape: [k], [k, n] or [k, n, count] in file order.
  [[nodiscard]] Result<const gguf::TensorInfo*> Tensor(const std::string& name,
                                                       std::span<const uint64_t> shape);

  /// A matrix a product can take: rows that are whole scale groups.
  [[nodiscard]] Result<tensor::StoredMatrix> Matrix(const std::string& name, size_t n, size_t k);

  /// `count` matrices [n, k] behind each other.
  [[nodiscard]] Result<std::vector<tensor::StoredMatrix>> Matrices(const std::string& name,
                                                                   size_t count, size_t n,
                                                                   size_t k);

  /// All values, widened. Shape [n], or [n, rows].
  [[nodiscard]] Result<std::vector<float>> Values(const std::string& name, size_t n,
                                                  size_t rows = 1);
  /// Empty if there is no such tensor, unless it is required.
  [[nodiscard]] Result<std::vector<float>> FindValues(const std::string& name, bool required,
                                                      size_t n, size_t rows = 1);

  /// kUnsupported naming a tensor nobody asked for: the file is of a variant we would run wrongly.
  [[nodiscard]] Result<void> CheckAllUsed() const;

 private:
  const gguf::File& file_;
  std::unordered_set<std::string_view> used_;
};

}  // namespace vade::model
