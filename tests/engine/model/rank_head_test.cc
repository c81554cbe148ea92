// The head of a reranker against the plain formula, in every form a file may give it.
#include "engine/model/rank_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/gguf_builder.h"

namespace vade::model {
namespace {

using ::testing::HasSubstr;

struct Tensor {
  std::string name;
  std::vector<uint64_t> dims;
  std::vector<float> values;
};

Result<std::vector<float>> Score(const std::vector<Tensor>& tensors, RankHead::Act activation) {
  gguf::Writer writer;
  writer.Add("general.architecture", "bert");
  for (const Tensor& tensor : tensors) {
    testing::AddF32Tensor(writer, tensor.name, tensor.dims, tensor.values);
  }
  const std::string bytes = writer.ToBytes().value();
  VADE_TRY(const auto file, testing::ParseGguf(bytes));
  TensorBinder binder(file);
  VADE_TRY(const RankHead head, RankHead::Bind(binder, 2, activation, 1e-5f));
  std::vector<float> out(head.num_labels());
  if (!head.empty()) head.Run(kernels::ActiveKernels(), std::vector<float>{0.5f, -1.0f}, out);
  return out;
}

const Tensor kOutput = {"cls.output.weight", {2, 3}, {1, 0, 0, 1, 2, 2}};
const Tensor kOutputBias = {"cls.output.bias", {3}, {0, 0, 10}};
const Tensor kDense = {"cls.weight", {2, 2}, {2, 0, 1, 1}};
const Tensor kDenseBias = {"cls.bias", {2}, {0, 0.25f}};

TEST(RankHead, OutputAlone) {
  EXPECT_EQ(Score({kOutput, kOutputBias}, RankHead::Act::kTanh).value(),
            (std::vector<float>{0.5f, -1.0f, 9.0f}));
}

TEST(RankHead, DenseThenOutput) {
  const auto got = Score({kDense, kDenseBias, kOutput}, RankHead::Act::kTanh).value();
  const double a = std::tanh(1.0);
  const double b = std::tanh(-0.25);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_NEAR(got[0], a, 1e-6);
  EXPECT_NEAR(got[1], b, 1e-6);
  EXPECT_NEAR(got[2], 2 * a + 2 * b, 1e-6);
}

TEST(RankHead, DenseAloneGivesTheScores) {
  const Tensor one = {"cls.weight", {2, 1}, {3, 1}};
  const auto got = Score({one}, RankHead::Act::kTanh).value();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_NEAR(got[0], std::tanh(0.5), 1e-6);
}

TEST(RankHead, NormComesAfterTheActivation) {
  const Tensor norm = {"cls.norm.weight", {2}, {1, 3}};
  const auto got = Score({kDense, norm, kOutput}, RankHead::Act::kGeluErf).value();
  // Of two values, normalising leaves the sign of the difference: 1 and -1.
  ASSERT_EQ(got.size(), 3u);
  EXPECT_NEAR(got[0], 1, 1e-3);
  EXPECT_NEAR(got[1], -3, 3e-3);
}

TEST(RankHead, NoTensorsIsNoHead) { EXPECT_TRUE(Score({}, RankHead::Act::kTanh).value().empty()); }

TEST(RankHead, WrongShapesAreRefusedByName) {
  const Tensor wide = {"cls.output.weight", {3, 1}, {1, 2, 3}};
  const auto got = Score({wide}, RankHead::Act::kTanh);
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("cls.output.weight"));
  const Tensor narrow = {"cls.weight", {2, 1}, {1, 2}};
  const auto both = Score({narrow, kOutput}, RankHead::Act::kTanh);
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().message, HasSubstr("cls.weight"));
  const Tensor many = {"cls.output.weight", {2, 5000}, std::vector<float>(10000)};
  const auto labels = Score({many}, RankHead::Act::kTanh);
  ASSERT_FALSE(labels);
  EXPECT_THAT(labels.error().message, HasSubstr("4096"));
}

}  // namespace
}  // namespace vade::model
