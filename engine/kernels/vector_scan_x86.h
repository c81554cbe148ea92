// The x86 implementations of vector_scan.h; only vector_scan.cc calls them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vade::kernels {

struct CodeRows;

void ScoreCodesAvx2(const CodeRows& rows, const int8_t* query, float query_scale,
                    float* scores) noexcept;
float DotF16Avx2(const float* query, const uint16_t* row, size_t dimension) noexcept;
void ScoreCodesAvx512(const CodeRows& rows, const int8_t* query, float query_scale,
                      float* scores) noexcept;
float DotF16Avx512(const float* query, const uint16_t* row, size_t dimension) noexcept;

}  // namespace vade::kernels
