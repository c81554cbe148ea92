// Poolings by name, by number, and what they compute.
#include "engine/model/pooling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/gguf_builder.h"

namespace vade::model {
namespace {

TEST(Pooling, TakesMeanFirstOrLast) {
  const std::vector<float> hidden = {1, 2, 3, 4, 8, 0};
  const auto pooled = [&](Pooling pooling) {
    std::vector<float> out(2, -1.0f);
    PoolTokens(kernels::ActiveKernels(), pooling, hidden, out);
    return out;
  };
  EXPECT_EQ(pooled(Pooling::kMean), (std::vector<float>{4, 2}));
  EXPECT_EQ(pooled(Pooling::kCls), (std::vector<float>{1, 2}));
  EXPECT_EQ(pooled(Pooling::kLast), (std::vector<float>{8, 0}));
}

TEST(Pooling, NamesRoundTrip) {
  for (const auto pooling :
       {Pooling::kNone, Pooling::kMean, Pooling::kCls, Pooling::kLast, Pooling::kRank}) {
    EXPECT_EQ(FindPooling(PoolingName(pooling)), pooling);
  }
  EXPECT_FALSE(FindPooling("max"));
}

TEST(Pooling, IsReadFromTheFile) {
  const auto read = [](std::optional<uint32_t> value) {
    gguf::Writer writer;
    if (value) writer.Add("x.pooling_type", *value);
    const std::string bytes = writer.ToBytes().value();
    const auto file = testing::ParseGguf(bytes);
    return ReadPooling(*file, "x");
  };
  EXPECT_EQ(read(3).value(), Pooling::kLast);
  EXPECT_FALSE(read(std::nullopt).value());
  EXPECT_THAT(read(5).error().message, ::testing::HasSubstr("x.pooling_type"));
}

}  // namespace
}  // namespace vade::model
