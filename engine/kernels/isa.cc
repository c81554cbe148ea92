#include "engine/kernels/isa.h"

#include <cstdlib>
#include <string>

#include "engine/base/cpu_features.h"

namespace vade::kernels {
namespace {

Isa BestIsa() noexcept {
  if (IsSupported(Isa::kAvx512)) return Isa::kAvx512;
  if (IsSupported(Isa::kAvx2)) return Isa::kAvx2;
  return Isa::kScalar;
}

}  // namespace

std::string_view IsaName(Isa isa) noexcept {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "unknown";
}

bool IsSupported(Isa isa) noexcept {
  const CpuFeatures& cpu = HostCpuFeatures();
  switch (isa) {
    case Isa::kScalar:
      return true;
    case Isa::kAvx2:
      return cpu.avx2;
    case Isa::kAvx512:
      return cpu.avx512_vnni;
  }
  return false;
}

Result<Isa> SelectIsa() {
  const char* wanted = std::getenv("VADE_KERNELS");
  if (wanted == nullptr || *wanted == '\0') return BestIsa();
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (IsaName(isa) != wanted) continue;
    if (IsSupported(isa)) return isa;
    return Fail(ErrorCode::kInvalidArgument,
                "VADE_KERNELS: this CPU does not support '" + std::string(wanted) + "'");
  }
  return Fail(ErrorCode::kInvalidArgument,
              "VADE_KERNELS: got '" + std::string(wanted) + "', expected scalar, avx2 or avx512");
}

Isa ActiveIsa() noexcept {
  static const Isa isa = SelectIsa().value_or(BestIsa());
  return isa;
}

}  // namespace vade::kernels
