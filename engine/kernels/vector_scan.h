// Scores of one query against many stored vectors: int8 codes for the scan, f16 for rescoring.
// Exact integer arithmetic: every ISA gives the same integer dot product.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/isa.h"

namespace vade::kernels {

/// Rows of codes are padded with zeros to a multiple of this many bytes.
inline constexpr size_t kCodeRowAlignment = 64;

[[nodiscard]] constexpr size_t CodeRowStride(size_t dimension) noexcept {
  return (dimension + kCodeRowAlignment - 1) / kCodeRowAlignment * kCodeRowAlignment;
}

/// The rows of one scan.
struct CodeRows {
  const int8_t* codes;  // [num_rows, stride], each row 64-byte aligned, values in [-127, 127]
  const float* scales;  // [num_rows]: original ~ code * scale
  const int32_t* sums;  // [num_rows]: sum of the row's codes
  size_t num_rows;
  size_t stride;  // CodeRowStride(dimension), at most 65,536
};

struct VectorScanKernels {
  /// scores[i] = query_scale * scales[i] * dot(query, codes[i]).
  /// Shapes: query [stride] int8 in [-127, 127], zero-padded, 64-byte aligned; scores [num_rows].
  void (*score_codes)(const CodeRows& rows, const int8_t* query, float query_scale,
                      float* scores) noexcept;
  /// dot(query, row), f32 accumulation. Shapes: query [dimension] f32, row [dimension] f16.
  float (*dot_f16)(const float* query, const uint16_t* row, size_t dimension) noexcept;
};

/// REQUIRES IsSupported(isa).
[[nodiscard]] const VectorScanKernels& GetVectorScanKernels(Isa isa) noexcept;

/// Those of ActiveIsa().
[[nodiscard]] const VectorScanKernels& GetVectorScanKernels() noexcept;

}  // namespace vade::kernels
