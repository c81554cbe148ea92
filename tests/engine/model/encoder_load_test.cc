// Hyper-parameters and tensors that do not fit each other are refused by name, before anything
// large is allocated (faults.md 12, 13).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/model/encoder.h"
#include "tests/support/tiny_encoder.h"

namespace vade::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using vade::testing::TinyEncoder;

Result<Encoder> Load(const TinyEncoder& tiny) {
  const std::string bytes = tiny.ToBytes();
  VADE_TRY(const auto file, vade::testing::ParseGguf(bytes));
  return Encoder::Load(file, kernels::ActiveKernels());
}

std::string ErrorOf(const TinyEncoder& tiny) {
  const auto encoder = Load(tiny);
  return encoder ? "loaded" : encoder.error().message;
}

TEST(EncoderLoad, BothArchitecturesLoad) {
  for (const bool nomic : {false, true}) {
    const auto encoder = Load(TinyEncoder(nomic));
    ASSERT_TRUE(encoder) << encoder.error().message;
    EXPECT_EQ(encoder->config().head_dim, 32u);
    EXPECT_EQ(encoder->output_dim(), 64u);
    EXPECT_EQ(encoder->vocab_size(), 57u);
    EXPECT_EQ(encoder->config().max_text_tokens, 40u);
  }
}

TEST(EncoderLoad, RefusesOtherArchitectures) {
  TinyEncoder tiny;
  tiny.architecture = "llama";
  const auto encoder = Load(tiny);
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(encoder.error().message, HasSubstr("'llama'"));
}

TEST(EncoderLoad, RefusesHyperParametersOutOfRange) {
  const std::vector<std::pair<std::string, uint32_t>> cases = {{"attention.head_count", 0},
                                                               {"attention.head_count", 3},
                                                               {"attention.head_count_kv", 0},
                                                               {"block_count", 0},
                                                               {"block_count", 1000000},
                                                               {"embedding_length", 0},
                                                               {"embedding_length", 1u << 31},
                                                               {"feed_forward_length", 0},
                                                               {"context_length", 0},
                                                               {"context_length", 4000000000u},
                                                               {"pooling_type", 9},
                                                               {"max_sequence_length", 0}};
  for (const auto& [key, value] : cases) {
    TinyEncoder tiny;
    tiny.counts[key] = value;
    EXPECT_THAT(ErrorOf(tiny), HasSubstr(std::string("bert.").append(key))) << value;
  }
  TinyEncoder heads;
  heads.counts["attention.head_count"] = 4;
  heads.counts["attention.head_count_kv"] = 3;
  EXPECT_THAT(ErrorOf(heads), AllOf(HasSubstr("head_count_kv"), HasSubstr("3"), HasSubstr("4")));
}

TEST(EncoderLoad, RefusesAnImpossibleNormEpsilon) {
  for (const float eps : {std::nanf(""), -1.0f, 1.0f, std::numeric_limits<float>::infinity()}) {
    TinyEncoder tiny;
    tiny.norm_eps = eps;
    EXPECT_THAT(ErrorOf(tiny), HasSubstr("bert.attention.layer_norm_epsilon")) << eps;
  }
}

TEST(EncoderLoad, MissingAndMisshapedTensorsAreNamed) {
  const TinyEncoder whole;
  for (const auto& [name, dims] : whole.tensors) {
    const bool optional = name.ends_with(".bias") || name == "token_types.weight";
    TinyEncoder without = whole;
    without.tensors.erase(name);
    if (optional) {
      EXPECT_EQ(ErrorOf(without), "loaded") << name;
    } else {
      EXPECT_THAT(ErrorOf(without), HasSubstr(name));
    }
    TinyEncoder wider = whole;
    wider.tensors[name][0] += 32;
    EXPECT_THAT(ErrorOf(wider), AllOf(HasSubstr(name), HasSubstr("want"))) << name;
  }
}

TEST(EncoderLoad, OneLayerTooManyIsAMissingTensor) {
  TinyEncoder tiny;
  tiny.counts["block_count"] = 3;
  EXPECT_THAT(ErrorOf(tiny), HasSubstr("blk.2."));
}

TEST(EncoderLoad, RankPoolingNeedsItsHead) {
  TinyEncoder tiny;
  tiny.counts["pooling_type"] = 4;
  EXPECT_THAT(ErrorOf(tiny), HasSubstr("cls.output.weight"));
  tiny.tensors["cls.output.weight"] = {64, 3};
  const auto encoder = Load(tiny);
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_EQ(encoder->output_dim(), 3u);
}

TEST(EncoderLoad, ActivationIsReadFromTheFile) {
  TinyEncoder tiny;
  EXPECT_EQ(Load(tiny)->config().activation, Activation::kGeluErf);
  tiny.strings["hidden_activation"] = "gelu_new";
  EXPECT_EQ(Load(tiny)->config().activation, Activation::kGeluTanh);
  tiny.strings["hidden_activation"] = "relu";
  EXPECT_THAT(ErrorOf(tiny), HasSubstr("'relu'"));
}

TEST(EncoderLoad, RopeScalingIsNoneOrLinear) {
  TinyEncoder tiny(true);
  tiny.strings["rope.scaling.type"] = "yarn";
  const auto encoder = Load(tiny);
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.error().code, ErrorCode::kUnsupported);
  TinyEncoder odd(true);
  odd.counts["rope.dimension_count"] = 34;
  EXPECT_THAT(ErrorOf(odd), HasSubstr("rope.dimension_count"));
}

// A jina-bert-v2 made of the tiny bert.
TinyEncoder Jina() {
  TinyEncoder tiny;
  tiny.architecture = "jina-bert-v2";
  tiny.tensors.erase("position_embd.weight");
  return tiny;
}

TEST(EncoderLoad, JinaHasAGateOrNot) {
  EXPECT_EQ(Load(Jina())->config().gate, FfnGate::kNone);
  TinyEncoder own = Jina();
  TinyEncoder fused = Jina();
  for (const std::string p : {"blk.0.", "blk.1."}) {
    own.tensors[p + "ffn_gate.weight"] = {64, 96};
    fused.tensors[p + "ffn_up.weight"] = {64, 192};
  }
  EXPECT_EQ(Load(own)->config().gate, FfnGate::kOwn);
  EXPECT_EQ(Load(fused)->config().gate, FfnGate::kFused);
  own.tensors.erase("blk.1.ffn_gate.weight");
  EXPECT_THAT(ErrorOf(own), HasSubstr("blk.1.ffn_gate.weight"));
  fused.tensors["blk.1.ffn_up.weight"] = {64, 96};
  EXPECT_THAT(ErrorOf(fused), HasSubstr("blk.1.ffn_up.weight"));
}

TEST(EncoderLoad, ATensorOfAnotherVariantIsNamed) {
  TinyEncoder tiny;
  tiny.tensors["blk.0.ffn_gate.weight"] = {64, 96};  // bert has none
  const auto encoder = Load(tiny);
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(encoder.error().message, HasSubstr("blk.0.ffn_gate.weight"));
}

TinyEncoder Modern() {
  TinyEncoder tiny;
  tiny.architecture = "modern-bert";
  tiny.counts["attention.sliding_window"] = 9;
  tiny.tensors = {{"token_embd.weight", {64, 57}},
                  {"token_embd_norm.weight", {64}},
                  {"output_norm.weight", {64}},
                  {"blk.1.attn_norm.weight", {64}}};
  for (const std::string p : {"blk.0.", "blk.1."}) {
    tiny.tensors[p + "attn_qkv.weight"] = {64, 192};
    tiny.tensors[p + "attn_output.weight"] = {64, 64};
    tiny.tensors[p + "ffn_norm.weight"] = {64};
    tiny.tensors[p + "ffn_up.weight"] = {64, 192};
    tiny.tensors[p + "ffn_down.weight"] = {96, 64};
  }
  return tiny;
}

TEST(EncoderLoad, ModernBertHasWindows) {
  TinyEncoder tiny = Modern();
  const auto encoder = Load(tiny);
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_EQ(encoder->config().reach, 4u);
  EXPECT_EQ(encoder->config().is_local, (std::vector<bool>{false, true}));
  tiny.counts["attention.sliding_window_pattern"] = 1;
  EXPECT_EQ(Load(tiny)->config().is_local, (std::vector<bool>{false, false}));
  tiny.counts["attention.sliding_window_pattern"] = 0;
  EXPECT_THAT(ErrorOf(tiny), HasSubstr("sliding_window_pattern"));
  tiny.counts.erase("attention.sliding_window_pattern");
  tiny.counts["attention.sliding_window"] = 0;
  EXPECT_TRUE(Load(tiny)->config().is_local.empty());
  for (const char* name : {"output_norm.weight", "blk.1.attn_norm.weight"}) {
    TinyEncoder without = Modern();
    without.tensors.erase(name);
    EXPECT_THAT(ErrorOf(without), HasSubstr(name));
  }
}

}  // namespace
}  // namespace vade::model
