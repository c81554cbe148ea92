// The tables behind KernelsFor; private to engine/kernels.
#pragma once

#include "engine/kernels/kernel_types.h"

namespace vade::kernels {

const KernelTable& ScalarTable() noexcept;
void ScalarGemmI8(const GemmI8& op) noexcept;
#if defined(__x86_64__)
const KernelTable& Avx2Table() noexcept;
const KernelTable& Avx512Table() noexcept;

// AVX512-BF16, which not every CPU with VNNI has, nor at full speed.
bool UseBf16Instructions() noexcept;
void GemmBf16Instructions(const GemmBf16& op) noexcept;
#endif

}  // namespace vade::kernels
