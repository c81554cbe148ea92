#include "engine/tensor/packed_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/base/check.h"
#include "engine/tensor/panel_packer.h"

namespace vade::tensor {
namespace {

using kernels::kPair;
using kernels::kPanelWidth;

constexpr size_t kMinGroup = 32;  // the block of the quantised types
// Rows of activations begin a cache line apart from a power of two: the rows of a tile, read side
// by side, would otherwise fall into the same few places of the first cache.
constexpr size_t kRowPadding = 64;
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

size_t EvenDepth(size_t k) noexcept { return (k + 1) / kPair * kPair; }

// Parts of one type keep their bits, others meet at 8.
kernels::PanelKind KindOf(std::span<const StoredMatrix> parts) noexcept {
  for (const StoredMatrix& part : parts) {
    if (part.type != parts.front().type) return kernels::PanelKind::kQ8Wide;
  }
  return parts.empty() ? kernels::PanelKind::kQ8Wide : PanelKindOf(parts.front().type);
}

// Row i of all parts below each other.
class RowsOfParts {
 public:
  explicit RowsOfParts(std::span<const StoredMatrix> parts) : parts_(parts) {}

  StoredRow operator[](size_t row) const noexcept {
    for (const StoredMatrix& part : parts_) {
      if (row < part.n) return {part.type, part.data.data() + row * (part.data.size() / part.n)};
      row -= part.n;
    }
    return {};
  }

 private:
  std::span<const StoredMatrix> parts_;
};

// Rows [first, first + count) to [ceil(k / kStep), 32, kStep]: 32 columns of all rows before the
// next, so that what is written, 2 kB, stays in the first cache.
template <size_t kStep>
void InterleaveHalves(const RowsOfParts& rows, size_t first, size_t count, size_t k,
                      uint16_t* out) {
  for (size_t begin = 0; begin < k; begin += kPanelWidth) {
    const size_t end = std::min(k, begin + kPanelWidth);
    for (size_t row = 0; row < count; ++row) {
      const std::byte* stored = rows[first + row].data;
      for (size_t i = begin; i < end; i += kStep) {
        std::memcpy(out + i * kPanelWidth + row * kStep, stored + i * sizeof(uint16_t),
                    std::min(kStep, end - i) * sizeof(uint16_t));
      }
    }
  }
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

Form DecoderFormOf(quant::TensorType type) noexcept {
  switch (type) {
    case quant::TensorType::kF32:
      return Form::kF32;
    case quant::TensorType::kF16:
      return Form::kF16;
    case quant::TensorType::kBf16:
      return Form::kBf16;
    default:
      return Form::kI8;
  }
}

std::optional<size_t> GroupOf(Form form, size_t k) noexcept {
  if (form == Form::kI8) return k % kMinGroup == 0 ? std::optional(kMinGroup) : std::nullopt;
  if (form != Form::kI16) return k;
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

Form DecoderFormOf(std::span<const StoredMatrix> parts) noexcept {
  Form form = parts.empty() ? Form::kF32 : DecoderFormOf(parts.front().type);
  for (const StoredMatrix& part : parts) {
    if (DecoderFormOf(part.type) == Form::kI8) return Form::kI8;
    if (DecoderFormOf(part.type) != form) form = Form::kF32;
  }
  return form;
}

PackedMatrix PackedMatrix::Prepare(std::span<const StoredMatrix> parts, Form form) {
  const Layout layout = LayoutOf(parts, form);
  VADE_CHECK(layout.k > 0 && layout.group > 0);
  PackedMatrix out;
  out.form_ = layout.form;
  out.n_ = layout.n;
  out.k_ = layout.k;
  out.group_ = layout.group;
  const size_t columns = PaddedColumns(layout.n);
  switch (form) {
    case Form::kF32:
      out.f32_ = AlignedBuffer<float>(columns * layout.k);
      break;
    case Form::kI16:
      out.i16_ = AlignedBuffer<int16_t>(columns * layout.k);
      out.scales_ = AlignedBuffer<float>(columns * (layout.k / layout.group));
      out.sums_ = AlignedBuffer<float>(columns * (layout.k / layout.group));
      break;
    case Form::kF16:
      out.half_ = AlignedBuffer<uint16_t>(columns * layout.k);
      break;
    case Form::kBf16:
      out.half_ = AlignedBuffer<uint16_t>(columns * EvenDepth(layout.k));
      break;
    case Form::kI8:
      out.panel_kind_ = KindOf(parts);
      out.panel_bytes_ = PanelBytes(out.panel_kind_, layout.k);
      out.i8_ = AlignedBuffer<uint8_t>(columns / kPanelWidth * out.panel_bytes_);
      break;
  }
  return out;
}

PackedMatrix PackedMatrix::Pack(std::span<const StoredMatrix> parts, Form form) {
  PackedMatrix out = Prepare(parts, form);
  out.PackRows(parts, 0, out.n_);
  return out;
}

void PackedMatrix::PackRows(std::span<const StoredMatrix> parts, size_t begin, size_t end) {
  const RowsOfParts rows(parts);
  if (form_ == Form::kI8) {
    for (size_t first = begin; first < end; first += kPanelWidth) {
      PanelRows panel;
      for (size_t i = 0; i < kPanelWidth && first + i < n_; ++i) panel[i] = rows[first + i];
      PackPanel(panel_kind_, panel, k_, i8_.data() + first / kPanelWidth * panel_bytes_);
    }
    return;
  }
  if (form_ == Form::kF16 || form_ == Form::kBf16) {
    for (size_t first = begin; first < end; first += kPanelWidth) {
      const size_t count = std::min(kPanelWidth, n_ - first);
      if (form_ == Form::kF16) {
        InterleaveHalves<1>(rows, first, count, k_, half_.data() + first * k_);
      } else {
        InterleaveHalves<kPair>(rows, first, count, k_, half_.data() + first * EvenDepth(k_));
      }
    }
    return;
  }
  std::vector<float> values(k_);
  for (size_t row = begin; row < std::min(end, n_); ++row) {
    const StoredRow stored = rows[row];
    quant::InfoOf(stored.type).dequantize(stored.data, values.data(), k_);
    PackRow(row, values);
  }
}

size_t PackedMatrix::PackedBytes(std::span<const StoredMatrix> parts, Form form) noexcept {
  const Layout layout = LayoutOf(parts, form);
  const size_t columns = PaddedColumns(layout.n);
  const size_t size = columns * layout.k;
  switch (form) {
    case Form::kF32:
      return size * sizeof(float);
    case Form::kF16:
      return size * sizeof(uint16_t);
    case Form::kBf16:
      return columns * EvenDepth(layout.k) * sizeof(uint16_t);
    case Form::kI8:
      return columns / kPanelWidth * PanelBytes(KindOf(parts), layout.k);
    case Form::kI16:
      break;
  }
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
  if (i16_.size() < rows * (k + kRowPadding)) {
    i16_ = AlignedBuffer<int16_t>(rows * (k + kRowPadding));
    i8_ = AlignedBuffer<int8_t>(rows * (k + kRowPadding));
  }
  if (scales_.size() < rows * num_groups) {
    scales_ = AlignedBuffer<float>(rows * num_groups);
    offsets_ = AlignedBuffer<float>(rows * num_groups);
    blocks_ = AlignedBuffer<kernels::ActivationBlock>(rows * num_groups);
  }
}

size_t Operand::ReservedBytes(size_t rows, size_t k, bool with_f32) noexcept {
  return rows * (3 * (k + kRowPadding) + (with_f32 ? 4 * k : 0) +
                 (k / kMinGroup + 1) * (2 * sizeof(float) + sizeof(kernels::ActivationBlock)));
}

void Operand::Shape(const PackedMatrix& w) noexcept {
  form_ = w.form();
  k_ = w.k();
  group_ = w.group();
  stride_ = k_ + kRowPadding - k_ % kRowPadding;
}

void Operand::Store(const kernels::KernelTable& kernels, size_t row, size_t col,
                    std::span<const float> x) noexcept {
  switch (form_) {
    case Form::kF32:
    case Form::kF16:
      std::copy(x.begin(), x.end(), f32_.data() + row * k_ + col);
      return;
    case Form::kBf16: {
      auto* out = reinterpret_cast<uint16_t*>(i16_.data()) + row * stride_;
      kernels.f32_to_bf16(x.data(), x.size(), out + col);
      if (k_ % kPair != 0) out[k_] = 0;
      return;
    }
    case Form::kI8:
      kernels.quantize_i8(x.data(), x.size(), i8_.data() + row * stride_ + col,
                          blocks_.data() + row * (k_ / group_) + col / group_);
      return;
    case Form::kI16:
      break;
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
  // What the operations of all forms have in common.
  const auto run = [&](auto function, auto op) {
    op.m = num_rows;
    op.bias = bias != nullptr ? bias + col : nullptr;
    op.c = y + row * ldy;
    op.ldc = ldy;
    op.n = n;
    op.accumulate = accumulate;
    function(op);
  };
  const size_t k = x.k_;
  switch (w.form()) {
    case Form::kF32:
      return run(
          kernels.gemm_f32,
          kernels::GemmF32{
              .a = x.f32_.data() + row * k, .lda = k, .k = k, .panels = w.f32_panels() + col * k});
    case Form::kF16:
      return run(
          kernels.gemm_f16,
          kernels::GemmF16{
              .a = x.f32_.data() + row * k, .lda = k, .k = k, .panels = w.half_panels() + col * k});
    case Form::kBf16: {
      const size_t depth = EvenDepth(k);
      const auto* a = reinterpret_cast<const uint16_t*>(x.i16_.data()) + row * x.stride_;
      return run(
          kernels.gemm_bf16,
          kernels::GemmBf16{
              .a = a, .lda = x.stride_, .k = depth, .panels = w.half_panels() + col * depth});
    }
    case Form::kI8:
      return run(kernels.gemm_i8,
                 kernels::GemmI8{.a = x.i8_.data() + row * x.stride_,
                                 .lda = x.stride_,
                                 .blocks = x.blocks_.data() + row * (k / x.group_),
                                 .k = k,
                                 .kind = w.panel_kind(),
                                 .panels = w.i8_panels() + col / kPanelWidth * w.panel_bytes()});
    case Form::kI16:
      break;
  }
  const size_t num_groups = k / x.group_;
  run(kernels.gemm_i16, kernels::GemmI16{.a = x.i16_.data() + row * k,
                                         .lda = k,
                                         .a_scale = x.scales_.data() + row * num_groups,
                                         .a_offset = x.offsets_.data() + row * num_groups,
                                         .k = k,
                                         .group = x.group_,
                                         .panels = w.i16_panels() + col * k,
                                         .w_scale = w.scales() + col * num_groups,
                                         .w_sum = w.sums() + col * num_groups});
}

}  // namespace vade::tensor
