// Quantisation of float32 rows to the types this program writes: F32, F16, BF16, Q8_0.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/quant/tensor_type.h"

namespace vade::quant {

/// Whether Quantize can write the type.
[[nodiscard]] bool CanQuantize(TensorType type) noexcept;

/// `values` in the layout of `type`. Q8_0 rounds as ggml does: scale = max|x| / 127 in float32,
/// stored as binary16; values round half away from zero with the unrounded scale.
/// Errors: kUnsupported for a type we cannot write; kInvalidArgument if not whole blocks;
/// kCorruptData for NaN, infinity or a scale beyond binary16, naming the position.
[[nodiscard]] Result<std::vector<std::byte>> Quantize(TensorType type,
                                                      std::span<const float> values);

}  // namespace vade::quant
