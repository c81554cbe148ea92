// The embedding engine as its callers see it: batches, threads, refusals, cancellation.
#include "engine/encoder_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include "tests/support/tiny_encoder.h"

namespace vade::engine {
namespace {

using ::testing::HasSubstr;
using vade::testing::TinyEncoder;

class EncoderEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("vade_encoder_engine_test_" + std::to_string(getpid()) + ".gguf");
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Result<std::unique_ptr<EncoderEngine>> Load(const TinyEncoder& tiny, size_t num_threads) {
    std::ofstream(path_, std::ios::binary) << tiny.ToBytes();
    return EncoderEngine::Load(path_, {.num_threads = num_threads});
  }

  static std::vector<std::vector<TokenId>> Sequences(size_t count) {
    std::mt19937 random(9);
    std::uniform_int_distribution<TokenId> id(0, 56);
    std::uniform_int_distribution<size_t> length(1, 40);
    std::vector<std::vector<TokenId>> sequences(count);
    for (auto& sequence : sequences) {
      sequence.resize(length(random));
      for (TokenId& token : sequence) token = id(random);
    }
    return sequences;
  }

  std::filesystem::path path_;
};

TEST_F(EncoderEngineTest, UnitVectorsInTheOrderOfTheCall) {
  for (const size_t num_threads : {1u, 2u, 5u}) {
    auto engine = Load(TinyEncoder(), num_threads);
    ASSERT_TRUE(engine) << engine.error().message;
    const auto sequences = Sequences(60);
    std::vector<float> all(60 * 64);
    ASSERT_TRUE((*engine)->Embed(sequences, all));
    for (size_t i = 0; i < sequences.size(); ++i) {
      std::vector<float> one(64);
      ASSERT_TRUE((*engine)->Embed({&sequences[i], 1}, one));
      double squares = 0;
      for (size_t c = 0; c < 64; ++c) {
        ASSERT_NEAR(all[i * 64 + c], one[c], 1e-5);
        squares += double{one[c]} * double{one[c]};
      }
      EXPECT_NEAR(squares, 1.0, 1e-6);
    }
  }
}

TEST_F(EncoderEngineTest, CallsFromManyThreadsAgree) {
  auto engine = Load(TinyEncoder(), 3);
  ASSERT_TRUE(engine) << engine.error().message;
  const auto sequences = Sequences(24);
  std::vector<float> want(24 * 64);
  ASSERT_TRUE((*engine)->Embed(sequences, want));
  std::vector<std::vector<float>> got(4, std::vector<float>(want.size()));
  std::vector<std::thread> callers;
  for (auto& out : got) {
    callers.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE((*engine)->Embed(sequences, out));
        EXPECT_GT((*engine)->CountTokens("some text"), 0u);
      }
    });
  }
  for (auto& caller : callers) caller.join();
  for (const auto& out : got) EXPECT_EQ(out, want);
}

TEST_F(EncoderEngineTest, RefusesWhatTheModelCannotTake) {
  auto engine = Load(TinyEncoder(), 1);
  ASSERT_TRUE(engine) << engine.error().message;
  std::vector<float> out(2 * 64);
  const auto message = [&](const std::vector<std::vector<TokenId>>& sequences) {
    const auto done = (*engine)->Embed(sequences, out);
    EXPECT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kInvalidArgument);
    return done.error().message;
  };
  EXPECT_THAT(message({{1}, {}}), HasSubstr("text 1: no tokens"));
  EXPECT_THAT(message({{1}, {3, -1}}), HasSubstr("token id -1"));
  EXPECT_THAT(message({{57}, {3}}), HasSubstr("got token id 57, expected 0 to 56"));
  EXPECT_THAT(message({{1}, std::vector<TokenId>(41, 5)}), HasSubstr("got 41 tokens"));
  EXPECT_THAT(message({{1}}), HasSubstr("128"));
}

TEST_F(EncoderEngineTest, StopsWhenCancelled) {
  auto engine = Load(TinyEncoder(), 2);
  ASSERT_TRUE(engine) << engine.error().message;
  CancelToken cancel;
  cancel.Cancel();
  std::vector<float> out(300 * 64);
  const auto done = (*engine)->Embed(Sequences(300), out, &cancel);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
}

// faults.md 16: the model loads, the result says what is wrong, the engine lives on.
TEST_F(EncoderEngineTest, NonFiniteWeightsAreReportedAndHarmNothingElse) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    TinyEncoder tiny;
    tiny.overwritten["token_embd.weight"] = {20 * 64 + 3, bad};  // of token 20
    auto engine = Load(tiny, 2);
    ASSERT_TRUE(engine) << engine.error().message;
    std::vector<float> out(64);
    const std::vector<TokenId> broken = {2, 20, 3};
    const auto done = (*engine)->Embed({&broken, 1}, out);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kInternal);
    EXPECT_THAT(done.error().message, HasSubstr("non-finite output"));
    const std::vector<TokenId> fine = {2, 21, 3};
    EXPECT_TRUE((*engine)->Embed({&fine, 1}, out));
  }
}

TEST_F(EncoderEngineTest, VocabularyAndEmbeddingRowsMustAgree) {
  TinyEncoder tiny;
  tiny.tensors["token_embd.weight"] = {64, 50};
  const auto engine = Load(tiny, 1);
  ASSERT_FALSE(engine);
  EXPECT_THAT(engine.error().message, HasSubstr("got 50 rows, want 57"));
}

TEST_F(EncoderEngineTest, PoolingNoneGivesNoTextVector) {
  TinyEncoder tiny;
  tiny.counts["pooling_type"] = 0;
  const auto engine = Load(tiny, 1);
  ASSERT_TRUE(engine) << engine.error().message;
  const std::vector<TokenId> sequence = {2, 7, 3};
  std::vector<float> out(64);
  const auto refused = (*engine)->Embed({&sequence, 1}, out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  const auto vectors = (*engine)->TokenVectors(sequence);
  ASSERT_TRUE(vectors) << vectors.error().message;
  EXPECT_EQ(vectors->size(), 3u * 64);
  EXPECT_FALSE((*engine)->TokenVectors({}));
}

TEST_F(EncoderEngineTest, AGivenPoolingTakesThePlaceOfTheFiles) {
  std::ofstream(path_, std::ios::binary) << TinyEncoder().ToBytes();
  const std::vector<TokenId> sequence = {2, 7, 3};
  std::vector<float> first(64);
  auto engine = EncoderEngine::Load(path_, {.num_threads = 1, .pooling = "cls"});
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_EQ((*engine)->pooling(), "cls");
  ASSERT_TRUE((*engine)->Embed({&sequence, 1}, first));
  const auto vectors = (*engine)->TokenVectors(sequence).value();
  double squares = 0;
  for (size_t i = 0; i < 64; ++i) squares += double{vectors[i]} * vectors[i];
  for (size_t i = 0; i < 64; ++i) ASSERT_NEAR(first[i], vectors[i] / std::sqrt(squares), 1e-6);
  EXPECT_FALSE(EncoderEngine::Load(path_, {.pooling = "rank"}));
}

TEST_F(EncoderEngineTest, AnUnknownInstructionSetIsRefused) {
  setenv("VADE_KERNELS", "mmx", 1);
  const auto engine = Load(TinyEncoder(), 1);
  unsetenv("VADE_KERNELS");
  ASSERT_FALSE(engine);
  EXPECT_THAT(engine.error().message, HasSubstr("mmx"));
}

TEST_F(EncoderEngineTest, TheHashFollowsTheBytes) {
  auto one = Load(TinyEncoder(), 1);
  ASSERT_TRUE(one);
  const uint64_t hash = (*one)->weights_hash();
  EXPECT_EQ((*Load(TinyEncoder(), 1))->weights_hash(), hash);
  TinyEncoder other;
  other.overwritten["token_embd.weight"] = {7, 0.5f};
  EXPECT_NE((*Load(other, 1))->weights_hash(), hash);
}

}  // namespace
}  // namespace vade::engine
