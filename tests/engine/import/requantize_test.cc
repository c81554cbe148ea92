// Tests of engine/import/requantize.
#include "engine/import/requantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "engine/quant/quantize.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/golden.h"

namespace vade::import {
namespace {

using quant::TensorType;
using ::testing::HasSubstr;

std::filesystem::path TempPath(const std::string& name) {
  return std::filesystem::path(::testing::TempDir()) / ("vade_requantize_" + name);
}

TEST(Requantize, ReferenceModelToQ8AndBack) {
  const auto path = TempPath("bert.gguf");
  const gguf::File in = gguf::File::Open(testing::GoldenPath("models/bert.gguf")).value();
  ASSERT_TRUE(Requantize(in, path, {.type = FileType::kQ8_0, .replace = true}));
  const gguf::File out = gguf::File::Open(path).value();
  EXPECT_EQ(out.metadata().size(), in.metadata().size());
  EXPECT_EQ(out.Require<uint32_t>("general.file_type").value(), 7u);
  ASSERT_EQ(out.tensors().size(), in.tensors().size());
  for (const gguf::TensorInfo& before : in.tensors()) {
    const gguf::TensorInfo* after = out.FindTensor(before.name);
    ASSERT_NE(after, nullptr);
    EXPECT_EQ(after->dims, before.dims);
    std::vector<float> a(before.num_values), b(before.num_values);
    quant::InfoOf(before.type).dequantize(before.data.data(), a.data(), a.size());
    quant::InfoOf(after->type).dequantize(after->data.data(), b.data(), b.size());
    double error = 0, norm = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      error += std::pow(double{a[i]} - double{b[i]}, 2);
      norm += std::pow(double{a[i]}, 2);
    }
    EXPECT_LE(error, norm * 1e-4) << before.name;  // 8 bits: about 2e-5 for normal weights
    EXPECT_EQ(error == 0, after->type == before.type) << before.name;
  }
  EXPECT_EQ(out.FindTensor("token_embd.weight")->type, TensorType::kQ8_0);
  std::filesystem::remove(path);
}

TEST(Requantize, QuantisedTensorsAreNotQuantisedTwice) {
  const auto zeros = [](size_t size) {
    return [size]() -> Result<std::vector<std::byte>> { return std::vector<std::byte>(size); };
  };
  gguf::Writer writer;
  writer.AddTensor("blk.0.w.weight", TensorType::kQ4_0, {32, 2}, zeros(36));
  const std::string only = writer.ToBytes().value();
  const auto path = TempPath("twice.gguf");
  const WriteOptions to_q8 = {.type = FileType::kQ8_0, .replace = true};
  const gguf::File in = testing::ParseGguf(only).value();
  const auto refused = Requantize(in, path, to_q8);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("tensor blk.0.w.weight is q4_0, and quantising"));
  EXPECT_FALSE(std::filesystem::exists(path));

  writer.AddTensor("blk.1.w.weight", TensorType::kF16, {32, 2}, zeros(128));
  const std::string mixed = writer.ToBytes().value();
  const gguf::File both = testing::ParseGguf(mixed).value();
  ASSERT_TRUE(Requantize(both, path, to_q8));
  EXPECT_EQ(gguf::File::Open(path)->tensors()[0].type, TensorType::kQ4_0);
  EXPECT_EQ(gguf::File::Open(path)->tensors()[1].type, TensorType::kQ8_0);
  ASSERT_TRUE(Requantize(in, path, {.type = FileType::kF32, .replace = true}));  // to read it plain
  EXPECT_EQ(gguf::File::Open(path)->tensors()[0].type, TensorType::kF32);
  std::filesystem::remove(path);
}

// Rows are converted by several threads in batches; the file must not show it.
TEST(Requantize, SameBytesOnAnyNumberOfThreads) {
  std::mt19937 rng(5);
  std::normal_distribution<float> normal(0, 0.02f);
  constexpr uint64_t kRow = 512, kRows = 5000;  // more than one batch
  std::vector<float> values(kRow * kRows);
  for (float& value : values) value = normal(rng);
  gguf::Writer writer;
  testing::AddF32Tensor(writer, "blk.0.ffn_up.weight", {kRow, kRows}, values);
  const std::string bytes = writer.ToBytes().value();
  const gguf::File in = testing::ParseGguf(bytes).value();
  std::vector<std::byte> all[2];
  for (const size_t num_threads : {1u, 3u}) {
    const auto path = TempPath("threads.gguf");
    ASSERT_TRUE(Requantize(in, path,
                           {.type = FileType::kQ4_0, .replace = true, .num_threads = num_threads}));
    const gguf::File out = gguf::File::Open(path).value();
    const auto data = out.tensors()[0].data;
    all[num_threads / 2].assign(data.begin(), data.end());
    std::filesystem::remove(path);
  }
  EXPECT_EQ(all[0], all[1]);
  EXPECT_EQ(all[0], quant::Quantize(TensorType::kQ4_0, values).value());
}

TEST(Requantize, CancelledLeavesNothing) {
  gguf::Writer writer;
  testing::AddF32Tensor(writer, "blk.0.ffn_up.weight", {32, 2}, std::vector<float>(64));
  const std::string bytes = writer.ToBytes().value();
  const gguf::File in = testing::ParseGguf(bytes).value();
  const auto path = TempPath("cancelled.gguf");
  CancelToken cancel;
  cancel.Cancel();
  const auto done = Requantize(in, path, {.replace = true, .cancel = &cancel});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Requantize, NonFiniteWeightsAreNamedAndNothingIsWritten) {
  gguf::Writer writer;
  std::vector<float> values(64, 1.0f);
  values[40] = std::numeric_limits<float>::infinity();
  testing::AddF32Tensor(writer, "blk.0.w.weight", {32, 2}, values);
  const std::string bytes = writer.ToBytes().value();
  const auto path = TempPath("nan.gguf");
  const gguf::File in = testing::ParseGguf(bytes).value();
  const auto done = Requantize(in, path, {.type = FileType::kQ8_0, .replace = true});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("tensor blk.0.w.weight: row 1: value 8 is inf"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace vade::import
