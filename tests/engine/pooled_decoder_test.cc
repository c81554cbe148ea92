// Decoders behind the embedder's interface: poolings, batches, refusals. What they compute is held
// against references in tests/golden.
#include "engine/pooled_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/support/tiny_decoder.h"

namespace vade::engine {
namespace {

using ::testing::HasSubstr;
using vade::testing::TinyDecoder;

class PooledDecoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("vade_pooled_decoder_test_" + std::to_string(getpid()) + ".gguf");
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // The tiny decoder with the tiny encoders' vocabulary.
  static TinyDecoder Tiny(const std::string& architecture = "llama") {
    TinyDecoder tiny(architecture);
    tiny.bert_vocabulary = true;
    tiny.tensors["token_embd.weight"] = {TinyDecoder::kWidth, 57};
    return tiny;
  }

  Result<std::unique_ptr<EncoderEngine>> Load(const TinyDecoder& tiny,
                                              const EncoderOptions& options = {}) {
    std::ofstream(path_, std::ios::binary) << tiny.ToBytes();
    return EncoderEngine::Load(path_, options);
  }

  std::filesystem::path path_;
};

TEST_F(PooledDecoderTest, OneThatNamesNoPoolingIsRefusedUnlessAsked) {
  const auto refused = Load(Tiny());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("llama.pooling_type"));
  EXPECT_EQ(Load(Tiny(), {.decoder_pooling = "last"}).value()->pooling(), "last");
  EXPECT_EQ(Load(Tiny(), {.pooling = "mean"}).value()->pooling(), "mean");
  const auto unknown = Load(Tiny(), {.pooling = "max"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("'max'"));
  TinyDecoder own = Tiny();
  own.counts["pooling_type"] = 3;
  EXPECT_EQ(Load(own).value()->pooling(), "last");
}

// More sequences than one pass or its cache holds, some of them long.
TEST_F(PooledDecoderTest, TogetherIsAsOneByOne) {
  for (const char* pooling : {"mean", "cls", "last"}) {
    const auto engine = Load(Tiny(), {.num_threads = 2, .pooling = pooling});
    ASSERT_TRUE(engine) << engine.error().message;
    const size_t d = (*engine)->dimension();
    EXPECT_EQ(d, TinyDecoder::kWidth);
    std::vector<std::vector<TokenId>> sequences;
    for (size_t i = 0; i < 30; ++i) {
      auto& sequence = sequences.emplace_back(i % 7 == 3 ? 200 : 1 + i);
      for (size_t k = 0; k < sequence.size(); ++k) {
        sequence[k] = static_cast<TokenId>((i * 31 + k * 7) % 57);
      }
    }
    std::vector<float> all(sequences.size() * d);
    const auto done = (*engine)->Embed(sequences, all);
    ASSERT_TRUE(done) << done.error().message;
    for (size_t i = 0; i < sequences.size(); ++i) {
      std::vector<float> one(d);
      ASSERT_TRUE((*engine)->Embed({&sequences[i], 1}, one));
      double squares = 0;
      for (size_t k = 0; k < d; ++k) {
        ASSERT_NEAR(all[i * d + k], one[k], 1e-5) << pooling << " " << i;
        squares += double{one[k]} * one[k];
      }
      EXPECT_NEAR(squares, 1, 1e-6);
    }
  }
}

TEST_F(PooledDecoderTest, PoolingsAreOfTheTokenVectors) {
  const std::vector<TokenId> sequence = {5, 9, 11};
  const auto engine = Load(Tiny(), {.pooling = "none"});
  ASSERT_TRUE(engine) << engine.error().message;
  const auto vectors = (*engine)->TokenVectors(sequence).value();
  const size_t d = TinyDecoder::kWidth;
  ASSERT_EQ(vectors.size(), 3 * d);
  std::vector<float> out(d);
  EXPECT_EQ((*engine)->Embed({&sequence, 1}, out).error().code, ErrorCode::kUnsupported);
  const auto expect_row = [&](const char* pooling, size_t row) {
    const auto pooled = Load(Tiny(), {.pooling = pooling});
    ASSERT_TRUE((*pooled)->Embed({&sequence, 1}, out));
    double squares = 0;
    for (size_t k = 0; k < d; ++k) squares += std::pow(double{vectors[row * d + k]}, 2);
    for (size_t k = 0; k < d; ++k) {
      ASSERT_NEAR(out[k], vectors[row * d + k] / std::sqrt(squares), 1e-6) << pooling;
    }
  };
  expect_row("cls", 0);
  expect_row("last", 2);
}

TEST_F(PooledDecoderTest, RerankersNeedTheirHead) {
  const auto without = Load(Tiny("qwen3"), {.pooling = "rank"});
  ASSERT_FALSE(without);
  TinyDecoder tiny = Tiny("llama");
  tiny.tensors["cls.output.weight"] = {TinyDecoder::kWidth, 3};
  const auto headless = Load(Tiny("llama"), {.pooling = "rank"});
  ASSERT_FALSE(headless);
  EXPECT_THAT(headless.error().message, HasSubstr("cls.output.weight"));
  const auto engine = Load(tiny, {.pooling = "rank"});
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_EQ((*engine)->dimension(), 3u);
  std::vector<float> scores(3);
  const std::vector<TokenId> sequence = {5, 9, 11};
  EXPECT_TRUE((*engine)->Embed({&sequence, 1}, scores));
}

TEST_F(PooledDecoderTest, RefusesWhatTheModelCannotTake) {
  const auto engine = Load(Tiny(), {.pooling = "last"});
  ASSERT_TRUE(engine) << engine.error().message;
  std::vector<float> out(TinyDecoder::kWidth);
  const auto message = [&](const std::vector<TokenId>& sequence) {
    const auto done = (*engine)->Embed({&sequence, 1}, out);
    return done ? "embedded" : done.error().message;
  };
  EXPECT_THAT(message({}), HasSubstr("no tokens"));
  EXPECT_THAT(message({57}), HasSubstr("token id 57"));
  EXPECT_THAT(message(std::vector<TokenId>(201, 5)), HasSubstr("got 201 tokens"));
  EXPECT_EQ(message({5}), "embedded");
  CancelToken cancel;
  cancel.Cancel();
  const std::vector<TokenId> sequence = {5};
  EXPECT_EQ((*engine)->Embed({&sequence, 1}, out, &cancel).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace vade::engine
