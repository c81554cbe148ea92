// Quantisation of float32 rows to the types this program writes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/quant/tensor_type.h"

namespace vade::quant {

/// Whether Quantize can write the type.
[[nodiscard]] bool CanQuantize(TensorType type) noexcept;

/// `values` in the layout of `type`. Block formats get the scales of least squared error found by
/// a search (quantize_fit.h); F16 and BF16 round to nearest even.
/// Errors: kUnsupported for a type we cannot write; kInvalidArgument if not whole blocks;
/// kCorruptData for NaN, infinity or a scale beyond binary16, naming the position.
[[nodiscard]] Result<std::vector<std::byte>> Quantize(TensorType type,
                                                      std::span<const float> values);

/// The same into `out`, StoredBytes in size; without allocation. On error `out` is untouched.
/// Threads: safe for distinct `out`, so that the rows of a tensor may be written side by side.
[[nodiscard]] Result<void> QuantizeTo(TensorType type, std::span<const float> values,
                                      std::span<std::byte> out);

}  // namespace vade::quant
