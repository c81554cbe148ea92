// Tests of engine/base/checked.
#include "engine/base/checked.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace vade {
namespace {

TEST(Checked, AddAndMulAtTheEdges) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(CheckedAdd<uint64_t>(kMax - 1, 1), kMax);
  EXPECT_FALSE(CheckedAdd<uint64_t>(kMax, 1));
  EXPECT_EQ(CheckedMul<uint64_t>(uint64_t{1} << 32, (uint64_t{1} << 32) - 1),
            kMax - ((uint64_t{1} << 32) - 1));
  EXPECT_FALSE(CheckedMul<uint64_t>(uint64_t{1} << 32, uint64_t{1} << 32));
  EXPECT_FALSE(CheckedMul<int64_t>(std::numeric_limits<int64_t>::max(), 2));
  EXPECT_FALSE(CheckedAdd<int32_t>(std::numeric_limits<int32_t>::min(), -1));
}

}  // namespace
}  // namespace vade
