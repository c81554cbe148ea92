// CPUID, the affinity mask and the cgroup quota.
#include "engine/base/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace vade {
namespace {

#if defined(__x86_64__)
// clang 14 does not know "f16c" as a feature name. Its registers are those of AVX, checked below.
bool HasF16c() noexcept {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

// __builtin_cpu_supports also checks that the operating system saves the registers (XGETBV).
CpuFeatures Detect() noexcept {
  CpuFeatures f;
#if defined(__x86_64__)
  __builtin_cpu_init();
  f.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && HasF16c();
  f.avx512 = f.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  f.avx512_vnni = f.avx512 && __builtin_cpu_supports("avx512vnni");
  f.avx512_bf16 = f.avx512 && __builtin_cpu_supports("avx512bf16");
  f.slow_bf16 = __builtin_cpu_is("intel");
#endif
  return f;
}

// cgroup v2 "cpu.max" holds "quota period" in microseconds, or "max period".
size_t CgroupCores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return SIZE_MAX;
  char* end = nullptr;
  const double limit = std::strtod(quota.c_str(), &end);
  if (end == quota.c_str() || limit <= 0) return SIZE_MAX;
  return std::max<size_t>(1, static_cast<size_t>(limit / period + 0.5));
}

size_t CountCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  size_t cores = 1;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = static_cast<size_t>(CPU_COUNT(&set));
  return std::max<size_t>(1, std::min(cores, CgroupCores()));
}

}  // namespace

const CpuFeatures& HostCpuFeatures() noexcept {
  static const CpuFeatures features = Detect();
  return features;
}

size_t UsableCores() noexcept {
  static const size_t cores = CountCores();
  return cores;
}

}  // namespace vade
