// The bf16 product by its own instruction, also on CPUs where the table prefers f32 arithmetic.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "engine/base/cpu_features.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/tables.h"

namespace vade::kernels {
namespace {

#if defined(__x86_64__)

// Both sum exact products in f32, in different orders: each within k roundings of the magnitude.
TEST(Bf16Instructions, AgreeWithTheScalarProduct) {
  if (!HostCpuFeatures().avx512_bf16) GTEST_SKIP() << "no AVX512-BF16 on this CPU";
  constexpr size_t kColumns = 300, kDepth = 70, kMaxRows = 14;
  std::mt19937 random(3);
  std::normal_distribution<float> value;
  const auto fill = [&](std::vector<uint16_t>& out) {
    for (uint16_t& v : out) {
      const float x = value(random);
      uint32_t bits;
      std::memcpy(&bits, &x, sizeof bits);
      v = static_cast<uint16_t>(bits >> 16);
    }
  };
  std::vector<uint16_t> a(kMaxRows * kDepth);
  std::vector<uint16_t> panels((kColumns + kPanelWidth - 1) / kPanelWidth * kPanelWidth * kDepth);
  std::vector<float> bias(kColumns, 0.5f);
  fill(a);
  fill(panels);
  for (const size_t m : {size_t{1}, size_t{5}, kMaxRows}) {
    std::vector<float> got(m * kColumns), want(m * kColumns);
    GemmBf16 op{.a = a.data(),
                .lda = kDepth,
                .m = m,
                .k = kDepth,
                .panels = panels.data(),
                .bias = bias.data(),
                .c = got.data(),
                .ldc = kColumns,
                .n = kColumns};
    GemmBf16Instructions(op);
    op.c = want.data();
    ScalarTable().gemm_bf16(op);
    // |a| and |b| are near 1: a sum of 70 products with its 70 roundings.
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 70 * 70 * 1.2e-7) << i;
  }
}

#endif

}  // namespace
}  // namespace vade::kernels
