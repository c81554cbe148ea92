#include "engine/model/kv_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace vade::model {
namespace {

using ::testing::HasSubstr;

constexpr size_t kPage = kKvPageTokens;

KvCache MakeCache(size_t num_pages, size_t ctx_len) {
  return {KvLayout(KvType::kF16, 2, 2, 20), num_pages, ctx_len};
}

TEST(KvCache, PagesAreTakenAsTokensCome) {
  KvCache cache = MakeCache(4, 1000);
  const SequenceId id = cache.Add();
  EXPECT_EQ(cache.used_pages(), 0u);
  ASSERT_TRUE(cache.Extend(id, 1));
  EXPECT_EQ(cache.used_pages(), 1u);
  ASSERT_TRUE(cache.Extend(id, kPage - 1));
  EXPECT_EQ(cache.used_pages(), 1u);
  ASSERT_TRUE(cache.Extend(id, 1));
  EXPECT_EQ(cache.Pages(id).size(), 2u);
  EXPECT_EQ(cache.Room(id), 4 * kPage - (kPage + 1));
  cache.Remove(id);
  EXPECT_EQ(cache.used_pages(), 0u);
  EXPECT_FALSE(cache.Contains(id));
}

TEST(KvCache, ForksShareWholePagesAndCopyTheLastBeforeWriting) {
  KvCache cache = MakeCache(10, 1000);
  const SequenceId trunk = cache.Add();
  ASSERT_TRUE(cache.Extend(trunk, 2 * kPage + 5));
  *cache.Pages(trunk)[2] = std::byte{42};
  const SequenceId fork = cache.Fork(trunk, 2 * kPage + 3);
  EXPECT_EQ(cache.used_pages(), 3u);
  EXPECT_EQ(cache.Pages(fork), cache.Pages(trunk));
  ASSERT_TRUE(cache.Extend(fork, 1));
  EXPECT_EQ(cache.used_pages(), 4u);
  EXPECT_EQ(cache.Pages(fork)[1], cache.Pages(trunk)[1]);
  EXPECT_NE(cache.Pages(fork)[2], cache.Pages(trunk)[2]);
  EXPECT_EQ(*cache.Pages(fork)[2], std::byte{42});
  // Now each has its own: no further copies.
  const std::byte* own = cache.Pages(trunk)[2];
  ASSERT_TRUE(cache.Extend(trunk, 1));
  EXPECT_EQ(cache.Pages(trunk)[2], own);
  EXPECT_EQ(cache.used_pages(), 4u);
  cache.Remove(trunk);
  EXPECT_EQ(cache.used_pages(), 3u);
}

TEST(KvCache, AForkAtAPageBorderCopiesNothing) {
  KvCache cache = MakeCache(10, 1000);
  const SequenceId trunk = cache.Add();
  ASSERT_TRUE(cache.Extend(trunk, 2 * kPage));
  const SequenceId fork = cache.Fork(trunk, kPage);
  ASSERT_TRUE(cache.Extend(fork, 1));
  EXPECT_EQ(cache.used_pages(), 3u);
  EXPECT_EQ(cache.Pages(fork)[0], cache.Pages(trunk)[0]);
  EXPECT_NE(cache.Pages(fork)[1], cache.Pages(trunk)[1]);
}

TEST(KvCache, TruncationGivesPagesBack) {
  KvCache cache = MakeCache(10, 1000);
  const SequenceId id = cache.Add();
  ASSERT_TRUE(cache.Extend(id, 3 * kPage));
  cache.Truncate(id, kPage + 1);
  EXPECT_EQ(cache.Length(id), kPage + 1);
  EXPECT_EQ(cache.used_pages(), 2u);
  cache.Truncate(id, 0);
  EXPECT_EQ(cache.used_pages(), 0u);
}

TEST(KvCache, RoomIsExact) {
  KvCache cache = MakeCache(3, 1000);
  const SequenceId trunk = cache.Add();
  ASSERT_TRUE(cache.Extend(trunk, kPage + 10));
  const SequenceId fork = cache.Fork(trunk, kPage + 10);
  // One page is left; the fork's copy of the shared page takes it.
  EXPECT_EQ(cache.Room(fork), kPage - 10);
  EXPECT_FALSE(cache.Extend(fork, kPage - 10 + 1));
  EXPECT_EQ(cache.used_pages(), 2u);
  ASSERT_TRUE(cache.Extend(fork, kPage - 10));
  EXPECT_EQ(cache.Room(fork), 0u);
  EXPECT_EQ(cache.Room(trunk), kPage - 10);  // its page is its own again
  const SequenceId second = cache.Fork(trunk, kPage + 10);
  EXPECT_EQ(cache.Room(second), 0u);  // no page left to copy to
}

TEST(KvCache, OverflowsAreErrorsInWords) {
  KvCache cache = MakeCache(2, 40);
  const SequenceId id = cache.Add();
  EXPECT_EQ(cache.Extend(id, 41).error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(cache.Extend(id, 40));
  EXPECT_THAT(cache.Extend(id, 1).error().message, HasSubstr("the context holds 40"));
  const SequenceId other = cache.Add();
  const auto full = cache.Extend(other, 1);
  EXPECT_EQ(full.error().code, ErrorCode::kResource);
  EXPECT_THAT(full.error().message, HasSubstr("cache full"));
  EXPECT_EQ(cache.Length(other), 0u);
}

TEST(KvCache, IdsAreNotReused) {
  KvCache cache = MakeCache(2, 40);
  const SequenceId first = cache.Add();
  cache.Remove(first);
  EXPECT_NE(cache.Add(), first);
}

class KvPage : public ::testing::TestWithParam<KvType> {
 protected:
  // The largest error of one value whose head's largest magnitude is `highest`.
  static float Bound(float highest) {
    switch (GetParam()) {
      case KvType::kF32:
        return 0;
      case KvType::kF16:
        return highest * 0x1p-11f;
      case KvType::kQ8_0:
        return highest / 127 * 0.51f;
    }
    return 0;
  }
};

TEST_P(KvPage, WhatIsStoredComesBackAsPanels) {
  const auto& kernels = kernels::ActiveKernels();
  std::mt19937 random(3);
  std::normal_distribution<float> value(0, 2);
  for (const size_t head_dim : {16u, 64u, 80u}) {
    const KvLayout layout(GetParam(), 2, 3, head_dim);
    const size_t num_panels = (head_dim + 31) / 32;
    AlignedBuffer<std::byte> page(layout.page_bytes());
    std::byte* keys = page.data() + layout.KeyOffset(1, 2);
    std::byte* values = page.data() + layout.ValueOffset(1, 2);
    std::vector<std::vector<float>> x(kPage, std::vector<float>(head_dim));
    float highest = 0;
    for (size_t slot = 0; slot < kPage; ++slot) {
      for (float& v : x[slot]) highest = std::max(highest, std::abs(v = value(random)));
      layout.StoreKey(kernels, keys, slot, x[slot].data());
      layout.StoreValue(kernels, values, slot, x[slot].data());
    }
    std::vector<float> panel(head_dim * kPage);
    std::vector<float> panels(num_panels * kPage * 32);
    layout.LoadKeys(kernels, keys, panel.data());
    const size_t some = kPage - 3;  // values are loaded up to the last token
    layout.LoadValues(kernels, values, some, panels.data());
    for (size_t slot = 0; slot < kPage; ++slot) {
      for (size_t i = 0; i < head_dim; ++i) {
        ASSERT_NEAR(panel[i * kPage + slot], x[slot][i], Bound(highest));
        if (slot >= some) continue;
        ASSERT_NEAR(panels[(i / 32 * some + slot) * 32 + i % 32], x[slot][i], Bound(highest));
      }
    }
  }
}

TEST_P(KvPage, ValuesThatAreNotFiniteStayLost) {
  const auto& kernels = kernels::ActiveKernels();
  const KvLayout layout(GetParam(), 1, 1, 32);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    AlignedBuffer<std::byte> page(layout.page_bytes());
    std::vector<float> x(32, 1.0f);
    x[5] = bad;
    layout.StoreKey(kernels, page.data() + layout.KeyOffset(0, 0), 7, x.data());
    std::vector<float> panel(32 * kPage);
    layout.LoadKeys(kernels, page.data() + layout.KeyOffset(0, 0), panel.data());
    EXPECT_FALSE(std::isfinite(panel[5 * kPage + 7]));
  }
}

INSTANTIATE_TEST_SUITE_P(All, KvPage, ::testing::Values(KvType::kF32, KvType::kF16, KvType::kQ8_0));

}  // namespace
}  // namespace vade::model
