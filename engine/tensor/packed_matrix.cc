#include "engine/tensor/packed_matrix.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/check.h"

namespace vade::tensor {
namespace {

using kernels::kPair;
using kernels::kPanelWidth;

constexpr size_t kMinGroup = 32;  // the block of the quantised types
constexpr auto kMaxWeight = static_cast<float>(kernels::kMaxWeight);

size_t PaddedColumns(size_t n) noexcept {
  return (n + kPanelWidth - 1) / kPanelWidth * kPanelWidth;
}

// To the nearest integer for |x| < 2^22, ties to even: adding 1.5 * 2^23 leaves no fraction bits.
// std::lrintf would be a call per weight on baseline x86-64.
float RoundSmall(float x) noexcept {
  constexpr float kShift = 12582912.0f;
  return (x + kShift) - kShift;
}

struct Layout {
  Form form = Form::kF32;
  size_t n = 0;
  size_t k = 0;
  size_t group = 0;
};

Layout LayoutOf(std::span<const StoredMatrix> parts, Form form) noexcept {
  Layout layout;
  layout.form = form;
  for (const StoredMatrix& part : parts) {
    layout.n += part.n;
    layout.k = part.k;
  }
  layout.group = GroupOf(form, layout.k).value_or(0);
  return layout;
}

}  // namespace

Form FormOf(quant::TensorType type) noexcept {
  switch (type) {
    case quant::TensorType::kF32:
    case quant::TensorType::kF16:
    case quant::TensorType::kBf16:
      return Form::kF32;
    default:
      return Form::kI16;
  }
}

std::optional<size_t> GroupOf(Form form, size_t k) noexcept {
  if (form == Form::kF32) return k;
  for (size_t group = kernels::kMaxGroup; group >= kMinGroup; group -= kMinGroup) {
    if (k % group == 0) return group;
  }
  return std::nullopt;
}

Form FormOf(std::span<const StoredMatrix> parts) noexcept {
  for (const StoredMatrix& part : parts) {
    if (FormOf(part.type) == Form::kI16) return Form::kI16;
  }
  return Form::kF32;
}

PackedMatrix PackedMatrix::Pack(std::span<const StoredMatrix> parts, Form form) {
  const Layout layout = LayoutOf(parts, form);
  VADE_CHECK(layout.k > 0 && layout.group > 0);
  PackedMatrix out;
  out.form_ = layout.form;
  out.n_ = layout.n;
  out.k_ = layout.k;
  out.group_ = layout.group;
  const size_t columns = PaddedColumns(layout.n);
  if (layout.form == Form::kF32) {
    out.f32_ = AlignedBuffer<float>(columns * layout.k);
  } else {
    out.i16_ = AlignedBuffer<int16_t>(columns * layout.k);
    out.scales_ = AlignedBuffer<float>(columns * (layout.k / layout.group));
    out.sums_ = AlignedBuffer<float>(columns * (layout.k / layout.group));
  }
  std::vector<float> values(layout.k);
  size_t row = 0;
  for (const StoredMatrix& part : parts) {
    const quant::DequantizeFn dequantize = quant::InfoOf(part.type).dequantize;
    const size_t row_bytes = part.n == 0 ? 0 : part.data.size() / part.n;
    for (size_t i = 0; i < part.n; ++i, ++row) {
      dequantize(part.data.data() + i * row_bytes, values.data(), layout.k);
      out.PackRow(row, values);
    }
  }
  return out;
}

size_t PackedMatrix::PackedBytes(std::span<const StoredMatrix> parts, Form form) noexcept {
  const Layout layout = LayoutOf(parts, form);
  const size_t columns = PaddedColumns(layout.n);
  const size_t size = columns * layout.k;
  if (form == Form::kF32) return size * sizeof(float);
  const size_t num_groups = layout.group == 0 ? 0 : layout.k / layout.group;
  return size * sizeof(int16_t) + 2 * columns * num_groups * sizeof(float);
}

void PackedMatrix::PackRow(size_t row, std::span<const float> values) {
  if (form_ == Form::kF32) {
    const size_t first = row / kPanelWidth * kPanelWidth;
    float* out = f32_.data() + first * k_ + row % kPanelWidth;
    for (size_t i = 0; i < k_; ++i) out[i * kPanelWidth] = values[i];
    return;
  }
  for (size_t g = 0; g < k_ / group_; ++g) {
    PackGroup(row, g, values.subspan(g * group_, group_));
  }
}

void PackedMatrix::PackGroup(size_t row, size_t group_idx, std::span<const float> values) {
  const size_t first = row / kPanelWidth * kPanelWidth;
  const size_t in_panel = row % kPanelWidth;
  float highest = 0.0f;
  float poison = 0.0f;  // NaN once a weight is NaN or infinite: the output must say so
  for (const float value : values) {
    highest = std::max(highest, std::abs(value));
    poison += value * 0.0f;
  }
  const bool usable = highest > kernels::kSmallestRange && poison == 0.0f;
  const float inverse = usable ? kMaxWeight / highest : 0.0f;
  const float scale = usable ? highest / kMaxWeight : poison;
  int16_t* out = i16_.data() + first * k_ + group_idx * group_ * kPanelWidth + in_panel * kPair;
  int32_t sum = 0;
  for (size_t i = 0; usable && i < values.size(); ++i) {
    const auto level = static_cast<int16_t>(RoundSmall(values[i] * inverse));
    out[i / kPair * kPair * kPanelWidth + i % kPair] = level;
    sum += level;
  }
  const size_t at = first * (k_ / group_) + group_idx * kPanelWidth + in_panel;
  scales_[at] = scale;
  sums_[at] = scale * static_cast<float>(sum);
}

void Operand::Reserve(size_t rows, size_t k, bool with_f32) {
  const size_t num_groups = k / kMinGroup + 1;
  if (with_f32 && f32_.size() < rows * k) f32_ = AlignedBuffer<float>(rows * k);
  if (i16_.size() < rows * k) i16_ = AlignedBuffer<int16_t>(rows * k);
  if (scales_.size() < rows * num_groups) {
    scales_ = AlignedBuffer<float>(rows * num_groups);
    offsets_ = AlignedBuffer<float>(rows * num_groups);
  }
}

size_t Operand::ReservedBytes(size_t rows, size_t k, bool with_f32) noexcept {
  return rows * (k * (with_f32 ? 6 : 2) + 2 * (k / kMinGroup + 1) * sizeof(float));
}

void Operand::Shape(const PackedMatrix& w) noexcept {
  form_ = w.form();
  k_ = w.k();
  group_ = w.group();
}

void Operand::Store(const kernels::KernelTable& kernels, size_t row, size_t col,
                    std::span<const float> x) noexcept {
  if (form_ == Form::kF32) {
    std::copy(x.begin(), x.end(), f32_.data() + row * k_ + col);
    return;
  }
  const size_t num_groups = k_ / group_;
  for (size_t i = 0; i < x.size(); i += group_) {
    const size_t at = row * num_groups + (col + i) / group_;
    kernels.quantize_i16(x.data() + i, group_, i16_.data() + row * k_ + col + i, &scales_[at],
                         &offsets_[at]);
  }
}

void Product::Run(const kernels::KernelTable& kernels, size_t row, size_t num_rows, size_t col,
                  size_t n) const noexcept {
  const float* shifted_bias = bias != nullptr ? bias + col : nullptr;
  float* out = y + row * ldy;
  if (w.form() == Form::kF32) {
    kernels.gemm_f32({.a = x.f32_.data() + row * x.k_,
                      .lda = x.k_,
                      .m = num_rows,
                      .k = x.k_,
                      .panels = w.f32_panels() + col * x.k_,
                      .bias = shifted_bias,
                      .c = out,
                      .ldc = ldy,
                      .n = n,
                      .accumulate = accumulate});
    return;
  }
  const size_t num_groups = x.k_ / x.group_;
  kernels.gemm_i16({.a = x.i16_.data() + row * x.k_,
                    .lda = x.k_,
                    .a_scale = x.scales_.data() + row * num_groups,
                    .a_offset = x.offsets_.data() + row * num_groups,
                    .m = num_rows,
                    .k = x.k_,
                    .group = x.group_,
                    .panels = w.i16_panels() + col * x.k_,
                    .w_scale = w.scales() + col * num_groups,
                    .w_sum = w.sums() + col * num_groups,
                    .bias = shifted_bias,
                    .c = out,
                    .ldc = ldy,
                    .n = n,
                    .accumulate = accumulate});
}

}  // namespace vade::tensor
