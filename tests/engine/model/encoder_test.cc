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

struct AttentionCase {
  size_t num_tokens;
  size_t head_dim;
  size_t reach;
  float slope;
};

// softmax(query * key^T / sqrt(d) - slope * distance) * value in double, over keys within reach.
std::vector<double> PlainAttention(const AttentionCase& c, const std::vector<float>& qkv) {
  const size_t d = c.head_dim;
  std::vector<double> out(c.num_tokens * d);
  for (size_t i = 0; i < c.num_tokens; ++i) {
    std::vector<double> weight(c.num_tokens);
    double total = 0;
    for (size_t j = 0; j < c.num_tokens; ++j) {
      const size_t distance = i < j ? j - i : i - j;
      if (distance > c.reach) continue;
      double dot = 0;
      for (size_t k = 0; k < d; ++k) dot += double{qkv[i * 3 * d + k]} * qkv[j * 3 * d + d + k];
      total += weight[j] = std::exp(dot / std::sqrt(static_cast<double>(d)) -
                                    double{c.slope} * static_cast<double>(distance));
    }
    for (size_t j = 0; j < c.num_tokens; ++j) {
      for (size_t k = 0; k < d; ++k) {
        out[i * d + k] += weight[j] / total * qkv[j * 3 * d + 2 * d + k];
      }
    }
  }
  return out;
}

TEST(Attention, AgreesWithTheFormula) {
  std::mt19937 random(3);
  std::normal_distribution<float> value(0.0f, 1.0f);
  std::vector<AttentionCase> cases;
  for (const size_t d : {24u, 32u, 64u, 80u}) {
    for (const size_t n : {1u, 5u, 31u, 33u, 70u, 200u}) {
      for (const size_t reach : {size_t{0}, size_t{3}, size_t{32}, SIZE_MAX}) {
        for (const float slope : {0.0f, 0.25f}) cases.push_back({n, d, reach, slope});
      }
    }
  }
  AttentionScratch scratch;
  scratch.Reserve(200, 80);
  for (const AttentionCase& c : cases) {
    const size_t d = c.head_dim;
    std::vector<float> qkv(c.num_tokens * 3 * d);
    for (float& x : qkv) x = value(random);
    std::vector<float> out(c.num_tokens * d);
    scratch.Run(kernels::ActiveKernels(), {.query = qkv.data(),
                                           .key = qkv.data() + d,
                                           .value = qkv.data() + 2 * d,
                                           .stride = 3 * d,
                                           .num_tokens = c.num_tokens,
                                           .head_dim = d,
                                           .out = out.data(),
                                           .out_stride = d,
                                           .reach = c.reach,
                                           .slope = c.slope});
    const auto want = PlainAttention(c, qkv);
    for (size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], want[i], 1e-5) << c.num_tokens << " " << d << " " << c.reach;
    }
  }
}

TEST(Rope, RotatesPairsByTheirAngles) {
  const EncoderRope rope = {.dims = 4, .base = 100, .position_scale = 0.5f};
  RopeTable table;
  table.Reserve(rope, 8);
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
