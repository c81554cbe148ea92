#include "engine/kernels/kernels.h"

#include "engine/base/cpu_features.h"
#include "engine/kernels/tables.h"

namespace vade::kernels {

const KernelTable& KernelsFor(Isa isa) noexcept {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::kScalar:
      break;
    case Isa::kAvx2:
      return Avx2Table();
    case Isa::kAvx512:
      return Avx512Table();
  }
#endif
  return ScalarTable();
}

#if defined(__x86_64__)
bool UseBf16Instructions() noexcept {
  return HostCpuFeatures().avx512_bf16 && !HostCpuFeatures().slow_bf16;
}
#endif

const KernelTable& ActiveKernels() noexcept { return KernelsFor(ActiveIsa()); }

}  // namespace vade::kernels
