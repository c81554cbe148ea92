// Tests of engine/import/requantize.
#include "engine/import/requantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/gguf_builder.h"
#include "tests/support/golden.h"

namespace vade::import {
namespace {

using quant::TensorType;
using ::testing::HasSubstr;

std::filesystem::path TempPath(const std::string& name) {
  return std::filesystem::path(::testing::TempDir()) / ("vade_requantize_" + name);
}

TEST(Requantize, OnlyMatricesChangeType) {
  const auto q8 = [](std::string_view name, uint64_t row, uint64_t rows) {
    return StoredType(name, row, rows, TensorType::kQ8_0, true);
  };
  EXPECT_EQ(q8("blk.0.attn_q.weight", 384, 384), TensorType::kQ8_0);
  EXPECT_EQ(q8("token_embd.weight", 384, 30522), TensorType::kQ8_0);
  EXPECT_EQ(q8("blk.0.attn_q.weight", 100, 384), TensorType::kF16);  // not whole blocks
  EXPECT_EQ(q8("blk.0.attn_q.bias", 384, 1), TensorType::kF32);
  EXPECT_EQ(q8("blk.0.attn_output_norm.weight", 384, 1), TensorType::kF32);
  EXPECT_EQ(q8("position_embd.weight", 384, 512), TensorType::kF32);
  EXPECT_EQ(q8("token_types.weight", 384, 2), TensorType::kF32);
  EXPECT_EQ(q8("cls.output.weight", 384, 1), TensorType::kF32);
  EXPECT_EQ(q8("blk.0.attn_v.weight", 384, 384), TensorType::kF16);  // encoders only
  EXPECT_EQ(StoredType("blk.0.attn_v.weight", 384, 384, TensorType::kQ8_0, false),
            TensorType::kQ8_0);
  EXPECT_EQ(StoredType("blk.0.attn_v.weight", 384, 384, TensorType::kBf16, true),
            TensorType::kBf16);
}

TEST(Requantize, OutputTypeNames) {
  EXPECT_EQ(ParseOutputType("q8_0").value(), TensorType::kQ8_0);
  EXPECT_EQ(ParseOutputType("F16").value(), TensorType::kF16);
  EXPECT_EQ(ParseOutputType("q4_K").error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(ParseOutputType("\x1b").error().message, HasSubstr("want f32, f16, bf16 or q8_0"));
}

TEST(Requantize, ReferenceModelToQ8AndBack) {
  const auto path = TempPath("bert.gguf");
  const gguf::File in = gguf::File::Open(testing::GoldenPath("models/bert.gguf")).value();
  ASSERT_TRUE(Requantize(in, path, {.type = TensorType::kQ8_0, .replace = true}));
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
  gguf::Writer writer;
  writer.AddTensor("blk.0.w.weight", TensorType::kQ4_0, {32, 2},
                   []() -> Result<std::vector<std::byte>> { return std::vector<std::byte>(36); });
  const std::string bytes = writer.ToBytes().value();
  const auto path = TempPath("twice.gguf");
  const gguf::File in = testing::ParseGguf(bytes).value();
  ASSERT_TRUE(Requantize(in, path, {.type = TensorType::kQ8_0, .replace = true}));
  EXPECT_EQ(gguf::File::Open(path)->tensors()[0].type, TensorType::kQ4_0);
  std::filesystem::remove(path);
}

TEST(Requantize, NonFiniteWeightsAreNamedAndNothingIsWritten) {
  gguf::Writer writer;
  std::vector<float> values(64, 1.0f);
  values[40] = std::numeric_limits<float>::infinity();
  testing::AddF32Tensor(writer, "blk.0.w.weight", {32, 2}, values);
  const std::string bytes = writer.ToBytes().value();
  const auto path = TempPath("nan.gguf");
  const gguf::File in = testing::ParseGguf(bytes).value();
  const auto done = Requantize(in, path, {.type = TensorType::kQ8_0, .replace = true});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("tensor blk.0.w.weight: value 40 is inf"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace vade::import
