// Row normalisation of decoders: RMS or layer norm, as the architecture has it.
#pragma once

#include <cstddef>

#include "engine/kernels/kernels.h"
#include "engine/model/architecture.h"

namespace vade::model {

/// y = x / sqrt(mean(x^2) + eps) * weight, or the layer norm of x. bias (layer norm only) may be
/// null; x may be y. Shapes: all [n] f32.
void Normalize(const kernels::KernelTable& kernels, NormKind kind, const float* x,
               const float* weight, const float* bias, float eps, size_t n, float* y) noexcept;

/// The dot product in a fixed order of summation. Shapes: [n] f32.
[[nodiscard]] float Dot(const float* x, const float* y, size_t n) noexcept;

}  // namespace vade::model
