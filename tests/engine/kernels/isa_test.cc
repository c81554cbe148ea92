// The choice of the instruction set: the override takes, and a bad name is refused.
#include "engine/kernels/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace vade::kernels {
namespace {

class IsaOverride : public ::testing::Test {
 protected:
  void TearDown() override { unsetenv("VADE_KERNELS"); }
};

TEST_F(IsaOverride, EverySupportedNameTakes) {
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    setenv("VADE_KERNELS", std::string(IsaName(isa)).c_str(), 1);
    const auto selected = SelectIsa();
    if (IsSupported(isa)) {
      ASSERT_TRUE(selected) << selected.error().message;
      EXPECT_EQ(*selected, isa);
    } else {
      ASSERT_FALSE(selected);
      EXPECT_EQ(selected.error().code, ErrorCode::kInvalidArgument);
    }
  }
}

TEST_F(IsaOverride, UnknownNamesAreRefused) {
  for (const char* name : {"sse", "AVX2", "avx512 ", "best"}) {
    setenv("VADE_KERNELS", name, 1);
    const auto selected = SelectIsa();
    ASSERT_FALSE(selected) << name;
    EXPECT_EQ(selected.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(selected.error().message.find(name), std::string::npos);
  }
}

TEST_F(IsaOverride, EmptyOrAbsentMeansTheBest) {
  unsetenv("VADE_KERNELS");
  const auto best = SelectIsa();
  ASSERT_TRUE(best);
  setenv("VADE_KERNELS", "", 1);
  EXPECT_EQ(SelectIsa().value(), *best);
  EXPECT_TRUE(IsSupported(*best));
}

}  // namespace
}  // namespace vade::kernels
