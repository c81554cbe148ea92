// The scalar reference of the vector scan, and the choice of an implementation.
#include "engine/kernels/vector_scan.h"

#include "engine/kernels/half_bits.h"
#include "engine/kernels/vector_scan_x86.h"

namespace vade::kernels {
namespace {

void ScoreCodesScalar(const CodeRows& rows, const int8_t* query, float query_scale,
                      float* scores) noexcept {
  for (size_t row = 0; row < rows.num_rows; ++row) {
    const int8_t* codes = rows.codes + row * rows.stride;
    int32_t dot = 0;
    for (size_t i = 0; i < rows.stride; ++i) dot += int32_t{query[i]} * int32_t{codes[i]};
    scores[row] = query_scale * rows.scales[row] * static_cast<float>(dot);
  }
}

float DotF16Scalar(const float* query, const uint16_t* row, size_t dimension) noexcept {
  float dot = 0;
  for (size_t i = 0; i < dimension; ++i) dot += query[i] * F32FromF16(row[i]);
  return dot;
}

constexpr VectorScanKernels kScalar = {&ScoreCodesScalar, &DotF16Scalar};
#ifdef __x86_64__
constexpr VectorScanKernels kAvx2 = {&ScoreCodesAvx2, &DotF16Avx2};
constexpr VectorScanKernels kAvx512 = {&ScoreCodesAvx512, &DotF16Avx512};
#endif

}  // namespace

const VectorScanKernels& GetVectorScanKernels(Isa isa) noexcept {
#ifdef __x86_64__
  if (isa == Isa::kAvx512) return kAvx512;
  if (isa == Isa::kAvx2) return kAvx2;
#endif
  static_cast<void>(isa);
  return kScalar;
}

const VectorScanKernels& GetVectorScanKernels() noexcept {
  return GetVectorScanKernels(ActiveIsa());
}

}  // namespace vade::kernels
