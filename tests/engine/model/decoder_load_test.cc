// Hyper-parameters and tensors that do not fit each other are refused by name, before anything
// large is allocated (faults.md 12, 13).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/model/decoder.h"
#include "tests/support/tiny_decoder.h"

namespace vade::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using vade::testing::TinyDecoder;

// The error, or "loaded" and the configuration.
struct Outcome {
  Error error{ErrorCode::kInternal, "loaded"};
  DecoderConfig config;
  DecoderMemory memory;
};

Outcome Load(const TinyDecoder& tiny, const DecoderLimits& limits = {}) {
  const std::string bytes = tiny.ToBytes();
  auto file = vade::testing::ParseGguf(bytes);
  EXPECT_TRUE(file) << file.error().message;
  const auto decoder = Decoder::Load(std::move(*file), limits, kernels::ActiveKernels(), Team());
  if (!decoder) return {decoder.error(), {}, {}};
  return {.config = decoder->config(), .memory = decoder->memory()};
}

std::string ErrorOf(const TinyDecoder& tiny) { return Load(tiny).error.message; }

TEST(DecoderLoad, ReadsTheHyperParameters) {
  const Outcome loaded = Load(TinyDecoder());
  ASSERT_EQ(loaded.error.message, "loaded");
  EXPECT_EQ(loaded.config.head_dim, 16u);
  EXPECT_EQ(loaded.config.num_kv_heads, 2u);
  EXPECT_EQ(loaded.config.rope.dims, 16u);
  EXPECT_EQ(loaded.config.rope.style, RopeStyle::kAdjacent);
  EXPECT_FLOAT_EQ(loaded.config.query_scale, 0.25f);
}

TEST(DecoderLoad, AnUnknownArchitectureIsToldTheKnownOnes) {
  const Error error = Load(TinyDecoder("mamba")).error;
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("got 'mamba'"), HasSubstr("llama"),
                                   HasSubstr("qwen3moe"), HasSubstr("internlm2")));
}

TEST(DecoderLoad, RefusesCountsOutOfRange) {
  const std::vector<std::pair<std::string, uint32_t>> cases = {{"attention.head_count", 0},
                                                               {"attention.head_count", 3},
                                                               {"attention.head_count", 1u << 30},
                                                               {"attention.head_count_kv", 0},
                                                               {"attention.head_count_kv", 3},
                                                               {"attention.key_length", 0},
                                                               {"attention.key_length", 1u << 20},
                                                               {"attention.value_length", 8},
                                                               {"block_count", 0},
                                                               {"block_count", 1000000},
                                                               {"embedding_length", 0},
                                                               {"embedding_length", 1u << 31},
                                                               {"feed_forward_length", 0},
                                                               {"context_length", 0},
                                                               {"context_length", 4000000000u},
                                                               {"rope.dimension_count", 0},
                                                               {"rope.dimension_count", 7},
                                                               {"rope.dimension_count", 18},
                                                               {"expert_count", 100000}};
  for (const auto& [key, value] : cases) {
    TinyDecoder tiny;
    tiny.counts[key] = value;
    EXPECT_THAT(ErrorOf(tiny), HasSubstr("llama." + key)) << value;
  }
}

TEST(DecoderLoad, RefusesNumbersOutOfRange) {
  const std::vector<std::pair<std::string, float>> cases = {
      {"attention.layer_norm_rms_epsilon", std::nanf("")},
      {"attention.layer_norm_rms_epsilon", -1.0f},
      {"attention.layer_norm_rms_epsilon", 1.0f},
      {"rope.freq_base", 0.0f},
      {"rope.freq_base", std::numeric_limits<float>::infinity()},
      {"rope.scaling.factor", -4.0f},
      {"rope.scaling.factor", std::nanf("")},
      {"attn_logit_softcapping", std::nanf("")}};
  for (const auto& [key, value] : cases) {
    TinyDecoder tiny;
    tiny.numbers[key] = value;
    EXPECT_THAT(ErrorOf(tiny), HasSubstr("llama." + key)) << value;
  }
  TinyDecoder scaling;
  scaling.strings["rope.scaling.type"] = "dynamic";
  EXPECT_THAT(ErrorOf(scaling), HasSubstr("'dynamic', expected none, linear, yarn or longrope"));
}

TEST(DecoderLoad, MissingAndMisshapedTensorsAreNamed) {
  const TinyDecoder whole;
  for (const auto& [name, dims] : whole.tensors) {
    TinyDecoder without = whole;
    without.tensors.erase(name);
    EXPECT_THAT(ErrorOf(without), AllOf(HasSubstr(name), HasSubstr("missing")));
    TinyDecoder wider = whole;
    wider.tensors[name][0] += 32;
    EXPECT_THAT(ErrorOf(wider), AllOf(HasSubstr(name), HasSubstr("want"))) << name;
    if (name == "token_embd.weight") continue;  // any number of rows is a vocabulary
    TinyDecoder deeper = whole;
    deeper.tensors[name].resize(3, 1);
    deeper.tensors[name][2] = 2;
    EXPECT_THAT(ErrorOf(deeper), AllOf(HasSubstr(name), HasSubstr("want"))) << name;
  }
}

TEST(DecoderLoad, OneLayerTooManyIsAMissingTensor) {
  TinyDecoder tiny;
  tiny.counts["block_count"] = 3;
  EXPECT_THAT(ErrorOf(tiny), HasSubstr("blk.2."));
}

TEST(DecoderLoad, ATensorNobodyReadsIsRefused) {
  TinyDecoder tiny;
  tiny.tensors["blk.1.attn_sinks.weight"] = {4};
  const Error error = Load(tiny).error;
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("blk.1.attn_sinks.weight [4]"));
}

TEST(DecoderLoad, AMixtureNeedsSensibleCounts) {
  TinyDecoder tiny;
  tiny.MakeMixture(4, 2);
  EXPECT_EQ(ErrorOf(tiny), "loaded");
  tiny.counts["expert_used_count"] = 5;
  EXPECT_THAT(ErrorOf(tiny), HasSubstr("expert_used_count: got 5, expected 1 to 4"));
  tiny.counts["expert_used_count"] = 2;
  tiny.counts["expert_count"] = 5;
  EXPECT_THAT(ErrorOf(tiny), AllOf(HasSubstr("ffn_gate_inp"), HasSubstr("want [64, 5]")));
  EXPECT_THAT(ErrorOf(TinyDecoder("qwen3moe")), HasSubstr("expert_count"));
}

TEST(DecoderLoad, RopeFactorsMustBePositive) {
  TinyDecoder tiny;
  tiny.tensors["rope_freqs.weight"] = {8};
  EXPECT_EQ(ErrorOf(tiny), "loaded");
  for (const float bad : {0.0f, -1.0f, std::nanf("")}) {
    tiny.overwritten["rope_freqs.weight"] = {3, bad};
    EXPECT_THAT(ErrorOf(tiny), HasSubstr("expected above 0"));
  }
}

TEST(DecoderLoad, WindowsFollowThePattern) {
  TinyDecoder tiny("gemma2");
  tiny.counts["attention.sliding_window"] = 7;
  for (const std::string p : {"blk.0.", "blk.1."}) {
    tiny.tensors[p + "post_attention_norm.weight"] = {TinyDecoder::kWidth};
    tiny.tensors[p + "post_ffw_norm.weight"] = {TinyDecoder::kWidth};
  }
  const Outcome loaded = Load(tiny);
  ASSERT_EQ(loaded.error.message, "loaded");
  EXPECT_EQ(loaded.config.layers[0].window, 7u);
  EXPECT_EQ(loaded.config.layers[1].window, 0u);
  tiny.counts["attention.sliding_window_pattern"] = 1;  // each first layer sees everything
  EXPECT_EQ(Load(tiny).config.layers[0].window, 0u);
  tiny.counts["attention.sliding_window_pattern"] = 0;
  EXPECT_THAT(ErrorOf(tiny), HasSubstr("sliding_window_pattern"));
}

TEST(DecoderLoad, LimitsAreCheckedAndMemoryIsComputedFirst) {
  const TinyDecoder tiny;
  EXPECT_THAT(Load(tiny, {.ctx_len = 201}).error.message, HasSubstr("got 201, expected 1 to 200"));
  EXPECT_THAT(Load(tiny, {.batch_tokens = 0}).error.message, HasSubstr("batch tokens"));
  const Outcome loaded = Load(tiny, {.ctx_len = 64, .cache_tokens = 128});
  // 2 layers, 2 key heads, keys of 16 and values of 32 (whole panels), 2 bytes each.
  EXPECT_EQ(loaded.memory.cache, 128u * 2 * 2 * (16 + 32) * 2);
  EXPECT_GT(loaded.memory.weights, 100000u);
  const Outcome huge = Load(tiny, {.cache_tokens = size_t{1} << 31});
  EXPECT_EQ(huge.error.code, ErrorCode::kResource);
  EXPECT_THAT(huge.error.message,
              AllOf(HasSubstr("needs"), HasSubstr("have"), HasSubstr("2147483648 tokens")));
}

}  // namespace
}  // namespace vade::model
