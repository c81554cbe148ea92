// Which instruction set the kernels use: the best the host has, or what VADE_KERNELS asks for.
#pragma once

#include <string_view>

#include "engine/base/result.h"

namespace vade::kernels {

enum class Isa { kScalar, kAvx2, kAvx512 };  // kAvx512 implies VNNI; BF16 is a property beside it

[[nodiscard]] std::string_view IsaName(Isa isa) noexcept;  // "scalar", "avx2", "avx512"

[[nodiscard]] bool IsSupported(Isa isa) noexcept;

/// VADE_KERNELS=scalar|avx2|avx512 overrides; an unknown or unsupported name is kInvalidArgument.
/// main checks it once at start.
[[nodiscard]] Result<Isa> SelectIsa();

/// SelectIsa() remembered at first use; the best supported one if VADE_KERNELS is bad.
[[nodiscard]] Isa ActiveIsa() noexcept;

}  // namespace vade::kernels
