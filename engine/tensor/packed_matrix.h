// A weight matrix, repacked once at load into the layout the kernels want, and the activations it
// is multiplied with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/panel_format.h"
#include "engine/quant/tensor_type.h"

namespace vade::tensor {

/// How weights and activations are multiplied.
enum class Form {
  kF32,   // f32 by f32: what F32, F16 and BF16 files ask for
  kI16,   // 13-bit by 11-bit integers, a scale per group of columns: block-quantised files
  kF16,   // f16 weights by f32
  kBf16,  // bf16 by bf16: activations are rounded to 8 bits of mantissa
  kI8,    // weights in the file's own bits by 8-bit integers, a scale per 32 columns
};

/// For encoders, which are small and compared by cosines: kI16 for what is quantised, else kF32.
[[nodiscard]] Form FormOf(quant::TensorType type) noexcept;

/// For decoders, whose speed is how few bytes a weight takes: kI8 for what is quantised, else the
/// type's own form. A caller packs tensors of different types as different matrices; an Operand
/// stored for one of them serves every other of the same Form and k.
[[nodiscard]] Form DecoderFormOf(quant::TensorType type) noexcept;

/// Columns that share one scale: 32 for Form::kI8; for Form::kI16 the largest divisor of k that is
/// a multiple of 32 and at most 384; k itself for the float forms. Nothing if k has no such
/// divisor.
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

/// The form all parts share; else Form::kI8 if one is quantised, Form::kF32 if none is. Parts of
/// one type keep their own bits in Form::kI8; of different types, every value is rounded to 8 bits
/// (PanelKindOf in panel_packer.h), so prefer a matrix for each type.
[[nodiscard]] Form DecoderFormOf(std::span<const StoredMatrix> parts) noexcept;

/// Immutable after Pack; const-safe from any thread.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  /// The rows of all parts below each other, packed as one matrix (so that query, key and value
  /// are one product). REQUIRES equal k > 0 and a GroupOf(form, k).
  [[nodiscard]] static PackedMatrix Pack(std::span<const StoredMatrix> parts, Form form);

  /// Pack in two steps, the second from many threads: memory alone, then rows [begin, end), a
  /// multiple of 32 both (end may be n()). Distinct ranges may be packed at the same time.
  [[nodiscard]] static PackedMatrix Prepare(std::span<const StoredMatrix> parts, Form form);
  void PackRows(std::span<const StoredMatrix> parts, size_t begin, size_t end);

  /// Bytes Pack will take for these parts.
  [[nodiscard]] static size_t PackedBytes(std::span<const StoredMatrix> parts, Form form) noexcept;

  [[nodiscard]] Form form() const noexcept { return form_; }
  [[nodiscard]] size_t n() const noexcept { return n_; }
  [[nodiscard]] size_t k() const noexcept { return k_; }
  [[nodiscard]] size_t group() const noexcept { return group_; }

  [[nodiscard]] const float* f32_panels() const noexcept { return f32_.data(); }
  [[nodiscard]] const int16_t* i16_panels() const noexcept { return i16_.data(); }
  [[nodiscard]] const uint16_t* half_panels() const noexcept { return half_.data(); }
  [[nodiscard]] const uint8_t* i8_panels() const noexcept { return i8_.data(); }
  [[nodiscard]] kernels::PanelKind panel_kind() const noexcept { return panel_kind_; }
  /// Of Form::kI8: from one panel of 32 rows to the next.
  [[nodiscard]] size_t panel_bytes() const noexcept { return panel_bytes_; }
  [[nodiscard]] const float* scales() const noexcept { return scales_.data(); }
  [[nodiscard]] const float* sums() const noexcept { return sums_.data(); }

 private:
  void PackRow(size_t row, std::span<const float> values);
  void PackGroup(size_t row, size_t group_idx, std::span<const float> values);

  Form form_ = Form::kF32;
  size_t n_ = 0;
  size_t k_ = 0;
  size_t group_ = 0;
  kernels::PanelKind panel_kind_{};
  size_t panel_bytes_ = 0;
  AlignedBuffer<float> f32_;     // [ceil(n/32), k, 32]
  AlignedBuffer<int16_t> i16_;   // [ceil(n/32), k/2, 32, 2]
  AlignedBuffer<float> scales_;  // [ceil(n/32), k/group, 32]
  AlignedBuffer<float> sums_;    // [ceil(n/32), k/group, 32]
  AlignedBuffer<uint16_t>
      half_;                   // kF16: [ceil(n/32), k, 32]; kBf16: [ceil(n/32), ceil(k/2), 32, 2]
  AlignedBuffer<uint8_t> i8_;  // [ceil(n/32), panel_bytes]
};

/// The left side of a product, kept in the form the right side wants. Reserved once, shaped for
/// one product after the other. Distinct rows may be stored from distinct threads.
class Operand {
 public:
  /// Room for rows * k values of any form; `with_f32` only if some matrix is kF32 or kF16.
  void Reserve(size_t rows, size_t k, bool with_f32);
  [[nodiscard]] static size_t ReservedBytes(size_t rows, size_t k, bool with_f32) noexcept;

  /// Prepares for products with w. Forgets what was stored.
  void Shape(const PackedMatrix& w) noexcept;

  /// Stores columns [col, col + x.size()) of a row. REQUIRES whole groups of w's columns if w is
  /// kI16 or kI8, and col even if it is kBf16.
  void Store(const kernels::KernelTable& kernels, size_t row, size_t col,
             std::span<const float> x) noexcept;

 private:
  friend struct Product;
  Form form_ = Form::kF32;
  size_t k_ = 0;
  size_t group_ = 0;
  size_t stride_ = 0;                               // of the 8- and 16-bit rows that are not i16
  AlignedBuffer<float> f32_;                        // [rows, k]
  AlignedBuffer<int16_t> i16_;                      // [rows, k]; or kBf16: [rows, stride]
  AlignedBuffer<float> scales_;                     // [rows, k/group]
  AlignedBuffer<float> offsets_;                    // [rows, k/group]
  AlignedBuffer<int8_t> i8_;                        // [rows, stride]
  AlignedBuffer<kernels::ActivationBlock> blocks_;  // [rows, k/32]
};

/// y = x * w^T (+ bias) (+ y), for rows [row, row + num_rows) of x and columns [col, col + n) of y.
/// Shapes: y points at [row 0, column col] of the output, rows ldy apart; bias [w.n()] or null.
/// REQUIRES x shaped for w, or for another matrix of its form and k; col % 32 == 0.
/// With kI8, kF16, kBf16 and kF32 a row's result is the same bits whatever num_rows and n are.
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
