// The tables behind KernelsFor; private to engine/kernels.
#pragma once

#include "engine/kernels/kernel_types.h"

namespace vade::kernels {

const KernelTable& ScalarTable() noexcept;
#if defined(__x86_64__)
const KernelTable& Avx2Table() noexcept;
const KernelTable& Avx512Table() noexcept;
#endif

}  // namespace vade::kernels
