// Tests of engine/quant/tensor_type.
#include "engine/quant/tensor_type.h"

#include <gtest/gtest.h>

#include <set>

namespace vade::quant {
namespace {

TEST(TensorType, TableIsSortedAndUnique) {
  uint32_t previous = 0;
  for (const TensorTypeInfo& info : TensorTypes()) {
    const auto id = static_cast<uint32_t>(info.type);
    EXPECT_EQ(FindTensorType(id), &info);
    EXPECT_EQ(FindTensorType(info.name), &info);
    EXPECT_GT(info.block_values, 0u);
    EXPECT_GT(info.block_bytes, 0u);
    previous = std::max(previous, id);
  }
  EXPECT_EQ(previous, 40u);
}

TEST(TensorType, RemovedAndUnknownIdsAreNotFound) {
  for (const uint32_t id : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u, 41u, 1000u, 0xFFFFFFFFu}) {
    EXPECT_EQ(FindTensorType(id), nullptr) << id;
  }
  EXPECT_EQ(FindTensorType("q9_9"), nullptr);
}

TEST(TensorType, NamesIgnoreCase) {
  ASSERT_NE(FindTensorType("Q4_K"), nullptr);
  EXPECT_EQ(FindTensorType("q4_k")->type, TensorType::kQ4K);
}

TEST(TensorType, StoredBytesRefusesPartBlocksAndOverflow) {
  const TensorTypeInfo& q8 = InfoOf(TensorType::kQ8_0);
  EXPECT_EQ(StoredBytes(q8, 64), 68u);
  EXPECT_EQ(StoredBytes(q8, 0), 0u);
  EXPECT_FALSE(StoredBytes(q8, 33));
  EXPECT_FALSE(StoredBytes(InfoOf(TensorType::kF64), uint64_t{1} << 61));
}

}  // namespace
}  // namespace vade::quant
