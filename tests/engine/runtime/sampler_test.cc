#include "engine/runtime/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace vade::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Everything off but a temperature of 1.
SamplingOptions Plain() {
  SamplingOptions options;
  options.temperature = 1;
  options.top_k = 0;
  options.top_p = 1;
  options.seed = 7;
  return options;
}

SamplingOptions Greedy() {
  SamplingOptions options;
  options.temperature = 0;
  return options;
}

Sampler MakeSampler(const SamplingOptions& options, size_t vocab_size) {
  auto sampler = Sampler::Create(options, vocab_size);
  EXPECT_TRUE(sampler.has_value()) << sampler.error().message;
  return std::move(sampler).value();
}

TokenId Pick(Sampler& sampler, std::vector<float> logits, const TokenMask* mask = nullptr) {
  const auto sampled = sampler.Sample(logits, mask);
  EXPECT_TRUE(sampled.has_value()) << sampled.error().message;
  return sampled->id;
}

std::vector<float> RandomLogits(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> logits;
  for (size_t i = 0; i < count; ++i) {
    logits.push_back(static_cast<float>(random.NextUnit() * 16 - 8));
  }
  return logits;
}

std::vector<double> Softmax(const std::vector<float>& logits, double temperature = 1) {
  std::vector<double> p;
  for (const float logit : logits) p.push_back(std::exp(static_cast<double>(logit) / temperature));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

// Draws many times and compares with `want` (0: must never be drawn). The bound is the 0.999
// quantile of chi-square by Wilson and Hilferty; the seed is fixed, so it fails always or never.
void ExpectDistribution(const SamplingOptions& options, const std::vector<float>& logits,
                        std::vector<double> want) {
  constexpr int kDraws = 40'000;
  Sampler sampler = MakeSampler(options, logits.size());
  std::vector<int> counts(logits.size(), 0);
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(Pick(sampler, logits))];
  const double sum = std::accumulate(want.begin(), want.end(), 0.0);
  double chi_square = 0;
  double freedom = -1;
  for (size_t id = 0; id < want.size(); ++id) {
    const double expected = want[id] / sum * kDraws;
    if (want[id] == 0) {
      EXPECT_EQ(counts[id], 0) << "token " << id;
      continue;
    }
    chi_square += std::pow(counts[id] - expected, 2) / expected;
    freedom += 1;
  }
  if (freedom == 0) return;
  const double a = 2 / (9 * freedom);
  EXPECT_LT(chi_square, freedom * std::pow(1 - a + 3.09 * std::sqrt(a), 3));
}

const std::vector<float> kLogits = {1.5f, -0.5f, 2.0f, 0.3f, 1.9f, -2.0f};

TEST(Sampler, TemperatureZeroTakesTheBestAndTiesGoToTheLowestId) {
  Sampler sampler = MakeSampler(Greedy(), 5);
  EXPECT_EQ(Pick(sampler, {0, 3, 1, 3, 2}), 1);
  EXPECT_EQ(Pick(sampler, {-1, -1, -1, -1, -1}), 0);
  std::vector<float> large(200, 0.0f);
  large[63] = large[64] = large[199] = 1;
  Sampler wide = MakeSampler(Greedy(), large.size());
  EXPECT_EQ(Pick(wide, large), 63);
}

TEST(Sampler, PlainSamplingFollowsSoftmax) {
  ExpectDistribution(Plain(), kLogits, Softmax(kLogits));
}

TEST(Sampler, TemperatureFlattensOrSharpens) {
  SamplingOptions options = Plain();
  options.temperature = 2.5f;
  ExpectDistribution(options, kLogits, Softmax(kLogits, 2.5));
  options.temperature = 0.5f;
  ExpectDistribution(options, kLogits, Softmax(kLogits, 0.5));
}

TEST(Sampler, TinyTemperatureIsGreedy) {
  SamplingOptions options = Plain();
  options.temperature = 1e-30f;
  ExpectDistribution(options, kLogits, {0, 0, 1, 0, 0, 0});
}

TEST(Sampler, TopKKeepsTheBest) {
  SamplingOptions options = Plain();
  options.top_k = 3;
  auto want = Softmax(kLogits);
  want[1] = want[3] = want[5] = 0;
  ExpectDistribution(options, kLogits, want);
}

TEST(Sampler, TopKBreaksTiesByTheLowestId) {
  SamplingOptions options = Plain();
  options.top_k = 2;
  ExpectDistribution(options, {1, 0, 1, 1}, {1, 0, 1, 0});
}

TEST(Sampler, TopKAgreesWithSortingOnLargeVocabularies) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    const auto logits = RandomLogits(5000, seed);
    std::vector<TokenId> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](TokenId a, TokenId b) {
      return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
    });
    SamplingOptions options = Greedy();
    options.logprobs = true;
    options.top_logprobs = 20;
    Sampler sampler = MakeSampler(options, logits.size());
    auto scratch = logits;
    const auto sampled = sampler.Sample(scratch);
    ASSERT_TRUE(sampled.has_value());
    ASSERT_EQ(sampled->top.size(), 20u);
    for (size_t i = 0; i < 20; ++i) EXPECT_EQ(sampled->top[i].id, order[i]);
  }
}

// Probabilities 0.5, 0.3, 0.15, 0.05: top_p 0.7 needs the first two, 0.8 - eps too.
TEST(Sampler, TopPKeepsTheShortestPrefix) {
  const std::vector<float> logits = {std::log(0.05f), std::log(0.5f), std::log(0.15f),
                                     std::log(0.3f)};
  SamplingOptions options = Plain();
  options.top_p = 0.7f;
  ExpectDistribution(options, logits, {0, 0.5, 0, 0.3});
  options.top_p = 0.9f;
  ExpectDistribution(options, logits, {0, 0.5, 0.15, 0.3});
  options.top_p = 0;
  ExpectDistribution(options, logits, {0, 1, 0, 0});
}

// The probabilities are those before temperature, and of what top_k left.
TEST(Sampler, TopPLooksAtWhatTopKLeftBeforeTemperature) {
  const std::vector<float> logits = {std::log(0.4f), std::log(0.3f), std::log(0.2f),
                                     std::log(0.1f)};
  SamplingOptions options = Plain();
  options.top_k = 2;  // 0.57, 0.43
  options.top_p = 0.55f;
  options.temperature = 5;
  ExpectDistribution(options, logits, {1, 0, 0, 0});
}

TEST(Sampler, TopPOverManyTokensSortsAsFarAsNeeded) {
  const std::vector<float> flat(600, 0.0f);  // needs more than the first sorted prefix
  SamplingOptions options = Plain();
  options.top_p = 0.5f;
  std::vector<double> want(600, 0);
  std::fill_n(want.begin(), 300, 1.0);  // ties by id
  ExpectDistribution(options, flat, want);
}

TEST(Sampler, MinPDropsWhatIsFarBelowTheBest) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.15f),
                                     std::log(0.05f)};
  SamplingOptions options = Plain();
  options.min_p = 0.25f;  // of 0.5: 0.125
  ExpectDistribution(options, logits, {0.5, 0.3, 0.15, 0});
}

// Entropy of (0.5, 0.25, 0.125, 0.125) is 1.75 bits; surprises are 1, 2, 3, 3 bits, so the order of
// typicality is token 1 (off by 0.25), 0 (0.75), then 2 and 3 (1.25).
TEST(Sampler, TypicalKeepsTheTokensOfUsualSurprise) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.25f), std::log(0.125f),
                                     std::log(0.125f)};
  SamplingOptions options = Plain();
  options.typical_p = 0.2f;
  ExpectDistribution(options, logits, {0, 1, 0, 0});
  options.typical_p = 0.7f;
  ExpectDistribution(options, logits, {2, 1, 0, 0});
  options.typical_p = 0.85f;
  ExpectDistribution(options, logits, {4, 2, 1, 0});
}

// The logits that the last token was drawn from, but for a constant: by id.
std::vector<double> LastLogits(const Sampler& sampler) {
  std::vector<double> logits(sampler.LastChoices().size());
  for (const Sampler::Choice& choice : sampler.LastChoices()) {
    logits.at(static_cast<size_t>(choice.id)) = std::log(choice.probability);
  }
  return logits;
}

TEST(Sampler, PenaltiesChangeSeenTokensOnly) {
  SamplingOptions options = Plain();
  options.repeat_penalty = 2;
  options.presence_penalty = 0.25f;
  options.frequency_penalty = 0.5f;
  options.logprobs = false;
  Sampler sampler = MakeSampler(options, 3);
  for (const TokenId id : {0, 0, 1}) sampler.Accept(id);
  // 4 / 2 - 0.25 - 2 * 0.5 = 0.75; -1 * 2 - 0.25 - 0.5 = -2.75; untouched.
  const std::vector<float> logits = {4, -1, 0.5f};
  ASSERT_TRUE(sampler.Sample(logits).has_value());
  const std::vector<double> seen = LastLogits(sampler);
  EXPECT_NEAR(seen[0] - seen[2], 0.75 - 0.5, 1e-6);
  EXPECT_NEAR(seen[1] - seen[2], -2.75 - 0.5, 1e-6);
}

TEST(Sampler, PenaltiesForgetWhatLeavesTheWindow) {
  SamplingOptions options = Greedy();
  options.presence_penalty = 10;
  options.repeat_last_n = 2;
  Sampler sampler = MakeSampler(options, 3);
  sampler.Accept(0);
  EXPECT_EQ(Pick(sampler, {3, 2, 1}), 1);
  sampler.Accept(1);
  EXPECT_EQ(Pick(sampler, {3, 2, 1}), 2);
  sampler.Accept(2);
  EXPECT_EQ(Pick(sampler, {3, 2, 1}), 0);
  sampler.Accept(-1);  // ids that are none are ignored
  sampler.Accept(99);
  EXPECT_EQ(Pick(sampler, {3, 2, 1}), 0);
}

TEST(Sampler, RepeatLastNZeroIsOffAndMinusOneIsEverything) {
  SamplingOptions options = Greedy();
  options.presence_penalty = 10;
  options.repeat_last_n = 0;
  Sampler off = MakeSampler(options, 2);
  off.Accept(0);
  EXPECT_EQ(Pick(off, {3, 2}), 0);
  options.repeat_last_n = -1;
  Sampler all = MakeSampler(options, 2);
  all.Accept(0);
  for (int i = 0; i < 1000; ++i) all.Accept(1);
  EXPECT_EQ(Pick(all, {3, 2}), 0) << "the first is still penalised once, not more";
  options.frequency_penalty = 0.01f;
  Sampler counting = MakeSampler(options, 2);
  counting.Accept(0);
  for (int i = 0; i < 1000; ++i) counting.Accept(1);
  EXPECT_EQ(Pick(counting, {3, 12}), 0) << "all thousand count";
}

TEST(Sampler, LogitBiasAddsAndBans) {
  SamplingOptions options = Greedy();
  options.logit_bias = {{2, 10.0f}};
  Sampler biased = MakeSampler(options, 3);
  EXPECT_EQ(Pick(biased, {3, 2, 1}), 2);
  options.logit_bias = {{0, -std::numeric_limits<float>::infinity()}};
  Sampler banned = MakeSampler(options, 3);
  EXPECT_EQ(Pick(banned, {3, 2, 1}), 1);
  SamplingOptions plain = Plain();
  plain.logit_bias = options.logit_bias;
  ExpectDistribution(plain, {3, 0, 0}, {0, 1, 1});
}

TEST(Sampler, MaskAllowsOnlyItsTokens) {
  TokenMask mask(130);
  mask.Set(5);
  mask.Set(64);
  mask.Set(129);
  std::vector<float> logits(130, 1.0f);
  logits[129] = 2;
  Sampler greedy = MakeSampler(Greedy(), 130);
  EXPECT_EQ(Pick(greedy, logits, &mask), 129);
  Sampler plain = MakeSampler(Plain(), 130);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(mask.Test(Pick(plain, logits, &mask)));
}

TEST(Sampler, NothingAllowedIsAnError) {
  Sampler sampler = MakeSampler(Plain(), 4);
  const TokenMask none(4);
  std::vector<float> logits(4, 0.0f);
  const auto sampled = sampler.Sample(logits, &none);
  ASSERT_FALSE(sampled.has_value());
  EXPECT_EQ(sampled.error().code, ErrorCode::kUnsupported);
}

TEST(Sampler, NonFiniteLogitsAreAnErrorNamingThePosition) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    Sampler sampler = MakeSampler(Plain(), 100);
    std::vector<float> logits(100, 0.0f);
    logits[77] = bad;
    const auto sampled = sampler.Sample(logits);
    ASSERT_FALSE(sampled.has_value());
    EXPECT_EQ(sampled.error().code, ErrorCode::kCorruptData);
    EXPECT_THAT(sampled.error().message, HasSubstr("non-finite logits"));
    EXPECT_THAT(sampled.error().message, HasSubstr("token 77"));
  }
}

TEST(Sampler, WrongSizesAreErrors) {
  Sampler sampler = MakeSampler(Plain(), 4);
  std::vector<float> logits(3, 0.0f);
  EXPECT_FALSE(sampler.Sample(logits).has_value());
  logits.push_back(0);
  const TokenMask mask(3);
  EXPECT_FALSE(sampler.Sample(logits, &mask).has_value());
}

TEST(Sampler, ExtremeLogitsDoNotOverflow) {
  constexpr float kMax = std::numeric_limits<float>::max();
  ExpectDistribution(Plain(), {kMax, -kMax, kMax}, {1, 0, 1});
}

TEST(Sampler, LogprobsAreTheModelsOwn) {
  SamplingOptions options = Plain();
  options.temperature = 3;
  options.top_k = 2;
  options.logit_bias = {{5, 100.0f}};
  options.logprobs = true;
  options.top_logprobs = 2;
  Sampler sampler = MakeSampler(options, kLogits.size());
  auto logits = kLogits;
  const auto sampled = sampler.Sample(logits);
  ASSERT_TRUE(sampled.has_value());
  const auto p = Softmax(kLogits);
  EXPECT_EQ(sampled->id, 5);
  ASSERT_TRUE(sampled->logprob.has_value());
  EXPECT_NEAR(static_cast<double>(*sampled->logprob), std::log(p[5]), 1e-6);
  ASSERT_EQ(sampled->top.size(), 2u);
  EXPECT_EQ(sampled->top[0].id, 2);
  EXPECT_EQ(sampled->top[1].id, 4);
  EXPECT_NEAR(static_cast<double>(sampled->top[1].logprob), std::log(p[4]), 1e-6);
}

TEST(Sampler, NoLogprobsUnlessAsked) {
  Sampler sampler = MakeSampler(Plain(), kLogits.size());
  auto logits = kLogits;
  EXPECT_FALSE(sampler.Sample(logits)->logprob.has_value());
}

std::vector<TokenId> Chain(const SamplingOptions& options, size_t steps) {
  Sampler sampler = MakeSampler(options, 1000);
  std::vector<TokenId> ids;
  for (size_t i = 0; i < steps; ++i) {
    ids.push_back(Pick(sampler, RandomLogits(1000, i)));
    sampler.Accept(ids.back());
  }
  return ids;
}

TEST(Sampler, SameSeedSameTokens) {
  SamplingOptions options;
  options.seed = 123;
  options.repeat_penalty = 1.1f;
  const auto ids = Chain(options, 50);
  EXPECT_EQ(Chain(options, 50), ids);
  options.seed = 124;
  EXPECT_NE(Chain(options, 50), ids);
}

// Pinned: another compiler, C library or CPU must give the same.
TEST(Sampler, TokensOfASeedAreTheSameOnEveryMachine) {
  SamplingOptions options;
  options.seed = 2024;
  options.typical_p = 0.97f;
  options.min_p = 0.01f;
  EXPECT_THAT(Chain(options, 8), ElementsAre(808, 344, 326, 534, 996, 275, 601, 199));
}

TEST(Sampler, WithoutASeedOneIsDrawnAndTold) {
  SamplingOptions options = Plain();
  options.seed.reset();
  Sampler first = MakeSampler(options, 1000);
  options.seed = first.seed();
  Sampler second = MakeSampler(options, 1000);
  const auto logits = RandomLogits(1000, 5);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Pick(first, logits), Pick(second, logits));
}

}  // namespace
}  // namespace vade::runtime
