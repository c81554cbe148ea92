// Tests of engine/base/aligned_buffer.
#include "engine/base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace vade {
namespace {

TEST(AlignedBuffer, AlignedZeroedAndPaddedToACacheLine) {
  for (const size_t size : {size_t{1}, size_t{15}, size_t{17}, size_t{600'000}}) {
    AlignedBuffer<float> buffer(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_EQ(buffer.size(), size);
    const size_t padded = (size + 15) / 16 * 16;
    EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + padded, [](float x) { return x == 0; }));
  }
}

TEST(AlignedBuffer, EmptyAndMoved) {
  AlignedBuffer<int> empty;
  EXPECT_EQ(empty.size(), 0u);
  EXPECT_TRUE(empty.span().empty());
  AlignedBuffer<int> source(4);
  source[3] = 9;
  const AlignedBuffer<int> target = std::move(source);
  EXPECT_EQ(target[3], 9);
}

}  // namespace
}  // namespace vade
