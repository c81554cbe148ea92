// The forward pass against itself (batching and threads change nothing) and its parts against
// plain formulas.
#include "engine/model/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/support/tiny_encoder.h"

namespace vade::model {
namespace {

Encoder LoadTiny(bool nomic) {
  const std::string bytes = testing::TinyEncoder(nomic).ToBytes();
  const auto file = testing::ParseGguf(bytes);
  EXPECT_TRUE(file) << file.error().message;
  return Encoder::Load(*file, kernels::ActiveKernels()).value();
}

std::vector<float> Forward(const Encoder& encoder, const TokenBatch& batch, const Team& team) {
  EncoderScratch scratch;
  encoder.Reserve(batch.num_tokens(), batch.longest(), team.size(), scratch);
  encoder.Forward(batch, team, scratch);
  return {scratch.hidden.data(),
          scratch.hidden.data() + batch.num_tokens() * encoder.config().d_model};
}

std::vector<std::vector<TokenId>> Sequences() {
  std::mt19937 random(5);
  std::uniform_int_distribution<TokenId> id(0, 56);
  std::vector<std::vector<TokenId>> sequences;
  for (const size_t length : {1u, 13u, 2u, 40u, 25u, 7u}) {
    auto& sequence = sequences.emplace_back(length);
    for (TokenId& token : sequence) token = id(random);
  }
  return sequences;
}

TEST(Encoder, BatchingChangesNothing) {
  for (const bool nomic : {false, true}) {
    const Encoder encoder = LoadTiny(nomic);
    TokenBatch all;
    for (const auto& sequence : Sequences()) all.Add(sequence);
    const auto together = Forward(encoder, all, Team());
    size_t row = 0;
    for (const auto& sequence : Sequences()) {
      TokenBatch one;
      one.Add(sequence);
      for (const float alone : Forward(encoder, one, Team())) {
        ASSERT_NEAR(together[row++], alone, 2e-5);
      }
    }
  }
}

TEST(Encoder, ATeamComputesTheSame) {
  const Encoder encoder = LoadTiny(false);
  ThreadPool pool(4);
  TokenBatch all;
  for (const auto& sequence : Sequences()) all.Add(sequence);
  const auto alone = Forward(encoder, all, Team());
  const auto shared = Forward(encoder, all, Team(pool));
  for (size_t i = 0; i < alone.size(); ++i) ASSERT_NEAR(shared[i], alone[i], 2e-5);
}

TEST(Encoder, ScratchIsReusedAcrossBatches) {
  const Encoder encoder = LoadTiny(false);
  EncoderScratch scratch;
  encoder.Reserve(88, 40, 1, scratch);
  TokenBatch large;
  for (const auto& sequence : Sequences()) large.Add(sequence);
  encoder.Forward(large, Team(), scratch);
  TokenBatch small;
  small.Add(Sequences()[1]);
  const auto fresh = Forward(encoder, small, Team());
  encoder.Forward(small, Team(), scratch);
  for (size_t i = 0; i < fresh.size(); ++i) ASSERT_EQ(scratch.hidden[i], fresh[i]);
}

TEST(Attention, AgreesWithTheFormula) {
  std::mt19937 random(3);
  std::normal_distribution<float> value(0.0f, 1.0f);
  for (const size_t d : {24u, 32u, 64u}) {
    for (const size_t n : {1u, 5u, 31u, 33u, 70u}) {
      const size_t stride = 3 * d;
      std::vector<float> qkv(n * stride);
      for (float& x : qkv) x = value(random);
      std::vector<float> out(n * d);
      AttentionScratch scratch;
      scratch.Reserve(n, d);
      scratch.Run(kernels::ActiveKernels(), {.query = qkv.data(),
                                             .key = qkv.data() + d,
                                             .value = qkv.data() + 2 * d,
                                             .stride = stride,
                                             .num_tokens = n,
                                             .head_dim = d,
                                             .out = out.data(),
                                             .out_stride = d});
      for (size_t i = 0; i < n; ++i) {
        std::vector<double> weight(n);
        double total = 0;
        for (size_t j = 0; j < n; ++j) {
          double dot = 0;
          for (size_t c = 0; c < d; ++c) {
            dot += double{qkv[i * stride + c]} * double{qkv[j * stride + d + c]};
          }
          total += weight[j] = std::exp(dot / std::sqrt(static_cast<double>(d)));
        }
        for (size_t c = 0; c < d; ++c) {
          double want = 0;
          for (size_t j = 0; j < n; ++j) want += weight[j] / total * qkv[j * stride + 2 * d + c];
          ASSERT_NEAR(out[i * d + c], want, 1e-5) << n << " " << d;
        }
      }
    }
  }
}

TEST(Rope, RotatesPairsByTheirAngles) {
  const ArchitectureFacts facts = {"x", false, true, false, Activation::kGeluErf};
  const EncoderConfig config = {
      .facts = &facts, .rope_dims = 4, .rope_base = 100, .rope_position_scale = 0.5f};
  RopeTable table;
  table.Reserve(config, 8);
  std::vector<float> x = {1, 2, 3, 4, 5, 6, -1, 0, 2, 0, 7, 8};  // two heads of 6, 4 rotated
  const auto before = x;
  table.Rotate(6, 2, 6, x.data());
  for (size_t head = 0; head < 2; ++head) {
    for (size_t i = 0; i < 2; ++i) {
      const double angle = 3.0 * std::pow(100.0, -static_cast<double>(i) / 2);
      const double a = before[head * 6 + i];
      const double b = before[head * 6 + 2 + i];
      EXPECT_NEAR(x[head * 6 + i], a * std::cos(angle) - b * std::sin(angle), 1e-6);
      EXPECT_NEAR(x[head * 6 + 2 + i], a * std::sin(angle) + b * std::cos(angle), 1e-6);
    }
    EXPECT_EQ(x[head * 6 + 4], before[head * 6 + 4]);
    EXPECT_EQ(x[head * 6 + 5], before[head * 6 + 5]);
  }
}

TEST(Team, RangesCoverEverythingOnce) {
  ThreadPool pool(3);
  for (const Team& team : {Team(), Team(pool)}) {
    for (const size_t count : {0u, 1u, 7u, 8u, 64u, 65u, 1000u}) {
      for (const size_t smallest : {1u, 8u, 32u}) {
        std::vector<std::atomic<int>> seen(count);
        team.ForRanges(count, smallest, [&](size_t begin, size_t end, size_t thread_idx) {
          EXPECT_LT(thread_idx, team.size());
          EXPECT_EQ(begin % smallest, 0u);
          for (size_t i = begin; i < end; ++i) seen[i].fetch_add(1);
        });
        for (const auto& times : seen) EXPECT_EQ(times.load(), 1);
      }
    }
  }
}

}  // namespace
}  // namespace vade::model
