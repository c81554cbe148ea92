// The arithmetic of the forward passes: pure loops over raw pointers, one table of functions per
// instruction set. The scalar table is the specification; the others agree with it within the
// bounds stated in tests/engine/kernels.
//
// All functions are noexcept, allocate nothing, take no locks and are safe to call from many
// threads for distinct outputs. A NaN or an infinity in an input reaches the output as a
// non-finite value; it is never swallowed (faults.md 16).
#pragma once

#include "engine/kernels/isa.h"
#include "engine/kernels/kernel_types.h"

namespace vade::kernels {

/// The table of one instruction set. Precondition: IsSupported(isa).
[[nodiscard]] const KernelTable& KernelsFor(Isa isa) noexcept;

/// KernelsFor(ActiveIsa()).
[[nodiscard]] const KernelTable& ActiveKernels() noexcept;

}  // namespace vade::kernels
