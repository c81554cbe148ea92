// From the rows of a file to the panels of the 8-bit product (engine/kernels/panel_format.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/kernels/panel_format.h"
#include "engine/quant/tensor_type.h"

namespace vade::tensor {

/// The panels that hold weights of this type with their own bits. Types without such panels
/// (codebook formats, NVFP4, floats) get kQ8Wide: every value rounded to 8 bits and a bf16 scale
/// per 32, an error of at most 1/252 of the largest of the 32. The ternary types are exact in kQ8.
[[nodiscard]] kernels::PanelKind PanelKindOf(quant::TensorType type) noexcept;

/// A row as stored; nullptr past the last one.
struct StoredRow {
  quant::TensorType type = quant::TensorType::kF32;
  const std::byte* data = nullptr;
};
using PanelRows = std::array<StoredRow, kernels::kPanelWidth>;

[[nodiscard]] size_t PanelBytes(kernels::PanelKind kind, size_t k) noexcept;

/// Fills one panel. REQUIRES k % (32 * record_blocks) == 0; for a kind other than kQ8Wide, rows
/// of one type with that PanelKindOf; panel [PanelBytes] zeroed.
void PackPanel(kernels::PanelKind kind, const PanelRows& rows, size_t k, uint8_t* panel);

}  // namespace vade::tensor
