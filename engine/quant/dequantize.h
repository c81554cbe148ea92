// Scalar dequantisation of every block format: the specification the fast kernels are tested
// against. Same contract for all: see DequantizeFn in tensor_type.h.
#pragma once

#include <cstddef>

namespace vade::quant {

void DequantizeF32(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeF16(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeBf16(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ4_0(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ4_1(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ5_0(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ5_1(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ8_0(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ2K(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ3K(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ4K(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ5K(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeQ6K(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq4Nl(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq4Xs(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeMxfp4(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeNvfp4(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeTq1_0(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeTq2_0(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq1S(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq1M(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq2Xxs(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq2Xs(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq2S(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq3Xxs(const std::byte* blocks, float* out, size_t num_values) noexcept;
void DequantizeIq3S(const std::byte* blocks, float* out, size_t num_values) noexcept;

}  // namespace vade::quant
