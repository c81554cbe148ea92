// The decoder family against llama.cpp's reference logits and greedy continuations, on every
// instruction set the host has: a prompt whole and in two batches, alone and with a team, with an
// exact and with the usual cache.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "engine/base/file.h"
#include "engine/kernels/kernels.h"
#include "engine/model/decoder.h"
#include "tests/support/base64.h"
#include "tests/support/golden.h"

namespace vade::model {
namespace {

using nlohmann::json;

// tests/golden/README.md has where these come from.
constexpr double kExactTolerance = 2e-4;
constexpr double kLongExactTolerance = 1e-3;  // prompts of 150: the reference's angles are f32
constexpr double kHalfCacheTolerance = 0.06;
constexpr double kBf16Max = 0.15;      // activations rounded to 8 bits of mantissa
constexpr double kQuantisedMax = 0.8;  // activations rounded to 8 bits for each 32 values
constexpr double kQuantisedRms = 0.2;
constexpr size_t kContext = 512;
constexpr size_t kGreedyTokens = 16;

// A committed file, or one of the wider collection.
std::filesystem::path Find(const std::string& relative) {
  const auto committed = testing::GoldenPath(relative);
  return std::filesystem::exists(committed) ? committed : testing::SharedGoldenPath(relative);
}

size_t Best(std::span<const float> logits) {
  return static_cast<size_t>(std::ranges::max_element(logits) - logits.begin());
}

// One model with one cache, and one sequence at a time.
class Machine {
 public:
  Machine(const std::string& path, kernels::Isa isa, const DecoderLimits& limits,
          size_t num_threads)
      : pool_(num_threads), team_(num_threads == 1 ? Team() : Team(pool_)) {
    auto file = gguf::File::Open(path);
    EXPECT_TRUE(file) << file.error().message;
    auto decoder = Decoder::Load(std::move(*file), limits, kernels::KernelsFor(isa), team_);
    EXPECT_TRUE(decoder) << decoder.error().message;
    decoder_.emplace(std::move(*decoder));
    cache_.emplace(decoder_->MakeCache());
    scratch_ = decoder_->MakeScratch(team_.size());
  }

  // The logits of the last position, of a fresh sequence fed in two batches split at `split`.
  std::vector<float> Prompt(std::span<const int32_t> tokens, size_t split) {
    if (sequence_) cache_->Remove(*sequence_);
    sequence_ = cache_->Add();
    if (split > 0) Feed(tokens.first(split), false);
    return Feed(tokens.subspan(split), true);
  }

  std::vector<float> Feed(std::span<const int32_t> tokens, bool wants_logits) {
    std::vector<BatchToken> batch;
    for (const int32_t token : tokens) batch.push_back({*sequence_, token, false});
    batch.back().wants_logits = wants_logits;
    std::vector<float> logits(wants_logits ? decoder_->vocab_size() : 0);
    const auto done = decoder_->Forward(batch, *cache_, team_, scratch_, logits);
    EXPECT_TRUE(done) << done.error().message;
    return logits;
  }

  // Compares the continuation as far as its margins allow.
  void ExpectGreedy(std::vector<float> logits, const std::vector<int32_t>& want,
                    const std::vector<double>& margins, double tolerance) {
    ASSERT_GE(want.size(), kGreedyTokens);
    for (size_t i = 0; i < kGreedyTokens; ++i) {
      if (margins[i] < 2 * tolerance) return;
      const auto token = static_cast<int32_t>(Best(logits));
      ASSERT_EQ(token, want[i]) << "step " << i << ", margin " << margins[i];
      logits = Feed({&token, 1}, true);
    }
  }

 private:
  ThreadPool pool_;
  Team team_;
  std::optional<Decoder> decoder_;
  std::optional<KvCache> cache_;
  std::optional<SequenceId> sequence_;
  DecoderScratch scratch_;
};

double MaxDifference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(double{a[i]} - double{b[i]});
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  return worst;
}

struct Case {
  std::string stem;
  kernels::Isa isa;
};

class GoldenDecoder : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!kernels::IsSupported(GetParam().isa)) GTEST_SKIP() << "not on this CPU";
    path_ = Find(GetParam().stem + ".gguf");
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << "no reference data";
    json_ = json::parse(ReadFile(Find(GetParam().stem + ".json")).value());
  }
  std::string path_;
  json json_;
};

class DecoderModels : public GoldenDecoder {
 protected:
  void ExpectPrompts(const json& prompts, const DecoderLimits& limits, size_t num_threads,
                     double least_tolerance) {
    Machine machine(path_, GetParam().isa, limits, num_threads);
    for (size_t i = 0; i < prompts.size(); ++i) {
      const auto tokens = json_.at("prompts").at(i).at("tokens").get<std::vector<int32_t>>();
      SCOPED_TRACE(tokens.size());
      const auto want = testing::DecodeBase64Floats(prompts[i].at("logits").get<std::string>());
      const double exact = tokens.size() > 33 ? kLongExactTolerance : kExactTolerance;
      const double tolerance = std::max(exact, least_tolerance);
      EXPECT_LT(MaxDifference(machine.Prompt(tokens, tokens.size() / 3), want), tolerance);
      const auto logits = machine.Prompt(tokens, 0);
      EXPECT_LT(MaxDifference(logits, want), tolerance);
      machine.ExpectGreedy(logits, prompts[i].at("greedy").get<std::vector<int32_t>>(),
                           prompts[i].at("greedy_margins").get<std::vector<double>>(), tolerance);
    }
  }
};

TEST_P(DecoderModels, ExactCache) {
  ExpectPrompts(json_.at("prompts"), {.ctx_len = kContext, .kv_type = KvType::kF32}, 1, 0);
}

TEST_P(DecoderModels, HalfCacheAndATeamInSmallPasses) {
  ExpectPrompts(json_.at("prompts"),
                {.ctx_len = kContext, .batch_tokens = 40, .kv_type = KvType::kF16}, 3,
                kHalfCacheTolerance);
}

TEST_P(DecoderModels, LongContextTakesTheLongFactors) {
  constexpr const char* kVariant = "context_1024_long_factors";
  if (!json_.at("variants").contains(kVariant)) GTEST_SKIP() << "no such variant";
  ExpectPrompts(json_.at("variants").at(kVariant),
                {.ctx_len = 2 * kContext, .kv_type = KvType::kF32}, 1, 0);
}

class DecoderQuants : public GoldenDecoder {};

TEST_P(DecoderQuants, NearTheExactWeights) {
  Machine machine(path_, GetParam().isa, {.ctx_len = kContext, .kv_type = KvType::kF32}, 1);
  const auto tokens = json_.at("prompt").get<std::vector<int32_t>>();
  const auto want =
      testing::DecodeBase64Floats(json_.at("logits_exact_weights").get<std::string>());
  const auto logits = machine.Prompt(tokens, 0);
  double squares = 0;
  for (size_t i = 0; i < want.size(); ++i) squares += std::pow(double{logits[i]} - want[i], 2);
  const double rms = std::sqrt(squares / static_cast<double>(want.size()));
  const auto type = json_.at("type").get<std::string>();
  const bool exact = type == "F32" || type == "F16";
  const double highest = exact ? kExactTolerance : type == "BF16" ? kBf16Max : kQuantisedMax;
  EXPECT_LT(MaxDifference(logits, want), highest);
  EXPECT_LT(rms, kQuantisedRms);
  RecordProperty("rms", std::to_string(rms));
  machine.ExpectGreedy(logits, json_.at("greedy_exact_weights").get<std::vector<int32_t>>(),
                       json_.at("greedy_margins_exact_weights").get<std::vector<double>>(),
                       std::min(highest, kQuantisedRms));
}

std::vector<Case> Cases(const std::string& folder, const std::vector<std::string>& names) {
  std::vector<Case> cases;
  for (const std::string& name : names) {
    for (const auto isa : {kernels::Isa::kScalar, kernels::Isa::kAvx2, kernels::Isa::kAvx512}) {
      cases.push_back({folder + name, isa});
    }
  }
  return cases;
}

std::string CaseName(const ::testing::TestParamInfo<Case>& test) {
  std::string name = test.param.stem + "_" + std::string(kernels::IsaName(test.param.isa));
  std::ranges::replace_if(
      name, [](char c) { return c == '-' || c == '/'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, DecoderModels,
    ::testing::ValuesIn(Cases("models/", {"llama", "llama3-rope", "llama-linear-mha", "qwen2",
                                          "qwen2-yarn", "qwen3", "gemma2", "gemma3", "phi3"})),
    CaseName);
INSTANTIATE_TEST_SUITE_P(All, DecoderQuants,
                         ::testing::ValuesIn(Cases("quants/llama-q-",
                                                   {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1",
                                                    "Q5_0", "Q5_1", "Q2_K", "Q3_K_M", "Q4_K_S",
                                                    "Q4_K_M", "Q5_K_M", "Q6_K", "IQ4_NL", "IQ4_XS",
                                                    "MXFP4"})),
                         CaseName);

}  // namespace
}  // namespace vade::model
