// Tests of engine/base/memory_info.
#include "engine/base/memory_info.h"

#include <gtest/gtest.h>

namespace vade {
namespace {

TEST(MemoryInfo, SomeMemoryIsAvailable) {
  EXPECT_GT(AvailableMemoryBytes(), uint64_t{1} << 20);
  EXPECT_LT(AvailableMemoryBytes(), uint64_t{1} << 60);
}

TEST(MemoryInfo, SizesInDecimalUnits) {
  EXPECT_EQ(FormatBytes(512), "512 B");
  EXPECT_EQ(FormatBytes(25'279'424), "25.3 MB");
  EXPECT_EQ(FormatBytes(1'400'000'000), "1.4 GB");
}

}  // namespace
}  // namespace vade
