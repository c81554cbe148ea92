// A weight matrix, repacked once at load into the layout the kernels want, and the activations it
// is multiplied with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/kernels.h"
#include "engine/quant/tensor_type.h"

namespace vade::tensor {

/// How weights and activations are multiplied.
enum class Form {
  kF32,  // f32 by f32: what F32, F16 and BF16 files ask for
  kI16,  // 13-bit by 11-bit integers, a scale per group of columns: block-quantised files
};

[[nodiscard]] Form FormOf(quant::TensorType type) noexcept;

/// Columns that share one scale in Form::kI16: the largest divisor of k that is a multiple of 32
/// and at most 384; k itself for Form::kF32. Nothing if k has no such divisor.
[[nodiscard]] std::optional<size_t> GroupOf(Form form, size_t k) noexcept;

/// Rows of a weight matrix as stored in a file. Views the file.
/// Shapes: data [n, k] of `type`, already checked to be n * k values.
struct StoredMatrix {
  quant::TensorType type = quant::TensorType::kF32;
  std::span<const std::byte> data;
  size_t n = 0;
  size_t k = 0;
};

/// Form::kI16 as soon as one part is quantised.
[[nodiscard]] Form FormOf(std::span<const StoredMatrix> parts) noexcept;

/// Immutable after Pack; const-safe from any thread.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  /// The rows of all parts below each other, packed as one matrix (so that query, key and value
  /// are one product). REQUIRES equal k > 0 and a GroupOf(form, k).
  [[nodiscard]] static PackedMatrix Pack(std::span<const StoredMatrix> parts, Form form);

  /// Bytes Pack will take for these parts.
  [[nodiscard]] static size_t PackedBytes(std::span<const StoredMatrix> parts, Form form) noexcept;

  [[nodiscard]] Form form() const noexcept { return form_; }
  [[nodiscard]] size_t n() const noexcept { return n_; }
  [[nodiscard]] size_t k() const noexcept { return k_; }
  [[nodiscard]] size_t group() const noexcept { return group_; }

  [[nodiscard]] const float* f32_panels() const noexcept { return f32_.data(); }
  [[nodiscard]] const int16_t* i16_panels() const noexcept { return i16_.data(); }
  [[nodiscard]] const float* scales() const noexcept { return scales_.data(); }
  [[nodiscard]] const float* sums() const noexcept { return sums_.data(); }

 private:
  void PackRow(size_t row, std::span<const float> values);
  void PackGroup(size_t row, size_t group_idx, std::span<const float> values);

  Form form_ = Form::kF32;
  size_t n_ = 0;
  size_t k_ = 0;
  size_t group_ = 0;
  AlignedBuffer<float> f32_;     // [ceil(n/32), k, 32]
  AlignedBuffer<int16_t> i16_;   // [ceil(n/32), k/2, 32, 2]
  AlignedBuffer<float> scales_;  // [ceil(n/32), k/group, 32]
  AlignedBuffer<float> sums_;    // [ceil(n/32), k/group, 32]
};

/// The left side of a product, kept in the form the right side wants. Reserved once, shaped for
/// one product after the other. Distinct rows may be stored from distinct threads.
class Operand {
 public:
  /// Room for rows * k values of either form; `with_f32` only if some matrix is Form::kF32.
  void Reserve(size_t rows, size_t k, bool with_f32);
  [[nodiscard]] static size_t ReservedBytes(size_t rows, size_t k, bool with_f32) noexcept;

  /// Prepares for products with w. Forgets what was stored.
  void Shape(const PackedMatrix& w) noexcept;

  /// Stores columns [col, col + x.size()) of a row. REQUIRES whole groups of w's columns.
  void Store(const kernels::KernelTable& kernels, size_t row, size_t col,
             std::span<const float> x) noexcept;

 private:
  friend struct Product;
  Form form_ = Form::kF32;
  size_t k_ = 0;
  size_t group_ = 0;
  AlignedBuffer<float> f32_;      // [rows, k]
  AlignedBuffer<int16_t> i16_;    // [rows, k]
  AlignedBuffer<float> scales_;   // [rows, k/group]
  AlignedBuffer<float> offsets_;  // [rows, k/group]
};

/// y = x * w^T (+ bias) (+ y), for rows [row, row + num_rows) of x and columns [col, col + n) of y.
/// Shapes: y points at [row 0, column col] of the output, rows ldy apart; bias [w.n()] or null.
/// REQUIRES x shaped for w; col % 32 == 0.
struct Product {
  const Operand& x;
  const PackedMatrix& w;
  const float* bias = nullptr;
  float* y = nullptr;
  size_t ldy = 0;
  bool accumulate = false;

  void Run(const kernels::KernelTable& kernels, size_t row, size_t num_rows, size_t col,
           size_t n) const noexcept;
};

}  // namespace vade::tensor
