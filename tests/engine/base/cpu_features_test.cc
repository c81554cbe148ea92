// Tests of engine/base/cpu_features.
#include "engine/base/cpu_features.h"

#include <gtest/gtest.h>

#include <thread>

namespace vade {
namespace {

TEST(CpuFeatures, LargerSetsImplySmallerOnes) {
  const CpuFeatures& f = HostCpuFeatures();
  EXPECT_TRUE(!f.avx512 || f.avx2);
  EXPECT_TRUE(!f.avx512_vnni || f.avx512);
  EXPECT_TRUE(!f.avx512_bf16 || f.avx512);
}

TEST(CpuFeatures, UsableCoresAreAtLeastOneAndNoMoreThanTheMachineHas) {
  EXPECT_GE(UsableCores(), 1u);
  EXPECT_LE(UsableCores(), std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace vade
