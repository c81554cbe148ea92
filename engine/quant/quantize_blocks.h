// Quantisers of one block each, written to the layout in block_types.h. The fit is in
// quantize_fit.h; range checks are the caller's.
#pragma once

#include <cstddef>

namespace vade::quant {

/// Shapes: x [values of one block] f32, out [bytes of one block], any alignment.
/// REQUIRES finite values of at most the magnitude Quantize checks.
using QuantizeBlockFn = void (*)(const float* x, std::byte* out) noexcept;

void QuantizeQ4_0(const float* x, std::byte* out) noexcept;
void QuantizeQ4_1(const float* x, std::byte* out) noexcept;
void QuantizeQ5_0(const float* x, std::byte* out) noexcept;
void QuantizeQ5_1(const float* x, std::byte* out) noexcept;
void QuantizeQ8_0(const float* x, std::byte* out) noexcept;
void QuantizeIq4Nl(const float* x, std::byte* out) noexcept;
void QuantizeQ2K(const float* x, std::byte* out) noexcept;
void QuantizeQ3K(const float* x, std::byte* out) noexcept;
void QuantizeQ4K(const float* x, std::byte* out) noexcept;
void QuantizeQ5K(const float* x, std::byte* out) noexcept;
void QuantizeQ6K(const float* x, std::byte* out) noexcept;

}  // namespace vade::quant
