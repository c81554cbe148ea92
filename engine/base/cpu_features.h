// What this CPU and operating system can run: instruction sets and usable cores.
#pragma once

#include <cstddef>

namespace vade {

struct CpuFeatures {
  bool avx2 = false;    // with FMA and F16C
  bool avx512 = false;  // F, BW, VL, DQ
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool slow_bf16 = false;  // its product at half the rate of f32's (measured: Sapphire Rapids)
};

/// Read once; safe from any thread.
[[nodiscard]] const CpuFeatures& HostCpuFeatures() noexcept;

/// Cores this process may use: affinity mask and cgroup CPU quota, at least 1.
[[nodiscard]] size_t UsableCores() noexcept;

}  // namespace vade
