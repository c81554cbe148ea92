// Tests of engine/import/file_type.
#include "engine/import/file_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/gguf_builder.h"

namespace vade::import {
namespace {

using quant::TensorType;
using ::testing::HasSubstr;

constexpr ModelShape kEncoder = {.is_encoder = true, .has_output = false, .num_layers = 6};
constexpr ModelShape kDecoder = {.num_layers = 16};

TensorType Of(std::string_view name, FileType wanted, const ModelShape& shape = kDecoder,
              uint64_t row = 2048) {
  return StoredType(name, row, 512, wanted, shape);
}

TEST(FileType, OnlyMatricesChangeType) {
  const auto q8 = [](std::string_view name, uint64_t row, uint64_t rows) {
    return StoredType(name, row, rows, FileType::kQ8_0, kEncoder);
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
  EXPECT_EQ(Of("blk.0.attn_v.weight", FileType::kQ8_0), TensorType::kQ8_0);
  EXPECT_EQ(Of("blk.0.attn_v.weight", FileType::kBf16, kEncoder), TensorType::kBf16);
  EXPECT_EQ(Of("blk.0.ffn_gate_inp.weight", FileType::kQ4KM), TensorType::kF32);
}

// A model of 16 layers: 0, 1 (first eighth), 14, 15 (last) and 4, 7, 10, 13 (every third between).
TEST(FileType, MixturesGiveSixBitsToHalfOfTheValueAndDownProjections) {
  std::string more;
  for (size_t layer = 0; layer < 16; ++layer) {
    const std::string prefix = "blk." + std::to_string(layer);
    for (const FileType type : {FileType::kQ4KM, FileType::kQ5KM}) {
      const TensorType value = Of(prefix + ".attn_v.weight", type);
      EXPECT_EQ(Of(prefix + ".ffn_down.weight", type), value);
      EXPECT_EQ(Of(prefix + ".ffn_down_exps.weight", type), value);
      EXPECT_EQ(Of(prefix + ".attn_qkv.weight", type), value);
      const TensorType base = type == FileType::kQ4KM ? TensorType::kQ4K : TensorType::kQ5K;
      EXPECT_TRUE(value == base || value == TensorType::kQ6K);
      EXPECT_EQ(Of(prefix + ".ffn_up.weight", type), base);
      EXPECT_EQ(Of(prefix + ".attn_q.weight", type), base);
      if (type == FileType::kQ4KM && value == TensorType::kQ6K) more += std::to_string(layer) + " ";
    }
    EXPECT_EQ(Of(prefix + ".attn_v.weight", FileType::kQ4_0), TensorType::kQ4_0);
  }
  EXPECT_EQ(more, "0 1 4 7 10 13 14 15 ");
}

TEST(FileType, TheOutputMatrixTakesSixBitsAndTheEmbeddingInItsPlace) {
  const ModelShape tied = {.has_output = false, .num_layers = 16};
  for (const FileType type : {FileType::kQ4_0, FileType::kQ4KM, FileType::kQ5KM, FileType::kQ6K}) {
    EXPECT_EQ(Of("output.weight", type), TensorType::kQ6K);
    EXPECT_EQ(Of("token_embd.weight", type, tied), TensorType::kQ6K);
  }
  EXPECT_EQ(Of("token_embd.weight", FileType::kQ4KM), TensorType::kQ4K);
  EXPECT_EQ(Of("output.weight", FileType::kQ8_0), TensorType::kQ8_0);
  EXPECT_EQ(Of("output.weight", FileType::kF16), TensorType::kF16);
}

TEST(FileType, RowsThatAreNotWholeSuperBlocksTakeSmallerBlocks) {
  const auto at = [](uint64_t row, FileType type, std::string_view name) {
    return Of(name, type, kDecoder, row);
  };
  EXPECT_EQ(at(896, FileType::kQ4KM, "blk.3.attn_q.weight"), TensorType::kQ5_0);
  EXPECT_EQ(at(896, FileType::kQ5KM, "blk.3.attn_q.weight"), TensorType::kQ5_1);
  EXPECT_EQ(at(896, FileType::kQ4KM, "blk.0.attn_v.weight"), TensorType::kQ8_0);
  EXPECT_EQ(at(896, FileType::kQ4_0, "output.weight"), TensorType::kQ8_0);
  EXPECT_EQ(at(896, FileType::kQ4_0, "blk.3.attn_q.weight"), TensorType::kQ4_0);
  EXPECT_EQ(at(900, FileType::kQ4KM, "blk.3.attn_q.weight"), TensorType::kF16);
  EXPECT_EQ(at(900, FileType::kIq4Nl, "blk.3.attn_q.weight"), TensorType::kF16);
}

TEST(FileType, EightExpertsShareAMorePreciseAttention) {
  const ModelShape moe = {.num_layers = 32, .num_experts = 8};
  EXPECT_EQ(Of("blk.5.attn_v.weight", FileType::kQ4KM, moe), TensorType::kQ8_0);
  EXPECT_EQ(Of("blk.5.attn_k.weight", FileType::kQ4KM, moe), TensorType::kQ8_0);
  EXPECT_EQ(Of("blk.5.attn_output.weight", FileType::kQ4KM, moe), TensorType::kQ5K);
  EXPECT_EQ(Of("blk.5.attn_q.weight", FileType::kQ4KM, moe), TensorType::kQ4K);
}

TEST(FileType, ShapeIsReadFromTheFile) {
  gguf::Writer writer;
  writer.Add("general.architecture", "llama");
  writer.Add("llama.expert_count", uint32_t{8});
  for (const char* name :
       {"token_embd.weight", "blk.0.attn_v.weight", "blk.2.attn_v.weight",
        "blk.99999999999999999999.x.weight", "blk.4000000000.x.weight", "blk.7", "blk.x.weight"}) {
    testing::AddF32Tensor(writer, name, {1}, {0.0f});
  }
  const std::string bytes = writer.ToBytes().value();
  const ModelShape shape = ShapeOf(testing::ParseGguf(bytes).value()).value();
  EXPECT_EQ(shape.num_layers, 3u);
  EXPECT_EQ(shape.num_experts, 8u);
  EXPECT_FALSE(shape.has_output);
  EXPECT_FALSE(shape.is_encoder);
}

TEST(FileType, Names) {
  EXPECT_EQ(ParseFileType("q8_0").value(), FileType::kQ8_0);
  EXPECT_EQ(ParseFileType("F16").value(), FileType::kF16);
  EXPECT_EQ(ParseFileType("Q4_K_M").value(), FileType::kQ4KM);
  EXPECT_EQ(ParseFileType("q4_K").error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(ParseFileType("\x1b").error().message, HasSubstr("want f32, f16, bf16, q8_0"));
}

// The message and the help list exactly what is accepted.
TEST(FileType, EveryListedNameIsAccepted) {
  size_t num_names = 0;
  std::string name;
  for (const char c : std::string(FileTypeNames()) + ",") {
    if (c != ',' && c != ' ') {
      name += c;
    } else if (!name.empty()) {
      EXPECT_EQ(ParseFileType(name).has_value(), name != "or") << name;
      num_names += name != "or" ? 1 : 0;
      name.clear();
    }
  }
  EXPECT_EQ(num_names, 12u);
}

}  // namespace
}  // namespace vade::import
