#include "engine/kernels/kernels.h"

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

const KernelTable& ActiveKernels() noexcept { return KernelsFor(ActiveIsa()); }

}  // namespace vade::kernels
