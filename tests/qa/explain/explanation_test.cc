// The steps on a real model file with random weights.
#include "qa/explain/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "engine/session.h"

namespace vade::qa {
namespace {

using ::testing::HasSubstr;

class ExplanationTest : public ::testing::Test {
 protected:
  ExplanationTest() {
    auto engine = engine::DecoderEngine::Load(
        VADE_SOURCE_DIR "/tests/golden/models/llama-linear-mha.gguf", {.num_threads = 1});
    EXPECT_TRUE(engine) << engine.error().message;
    engine_ = *std::move(engine);
    prompt_ = engine_->tokenizer().Encode("hello out there", true, false);
    options_.sampling.seed = 4;
  }

  Explanation Run() {
    auto explanation = Explain(*engine_, prompt_, options_);
    EXPECT_TRUE(explanation) << explanation.error().message;
    return explanation ? *std::move(explanation) : Explanation{};
  }

  std::unique_ptr<engine::DecoderEngine> engine_;
  std::vector<engine::TokenId> prompt_;
  ExplainOptions options_;
};

TEST_F(ExplanationTest, TheTraceHasTheLogitsOfTheNormalPass) {
  const Explanation e = Run();
  engine::Session session(*engine_);
  const auto logits = session.Prefill(prompt_);
  ASSERT_TRUE(logits);
  EXPECT_EQ(e.trace.logits, std::vector<float>(logits->begin(), logits->end()));
  EXPECT_EQ(e.tokens.size(), prompt_.size());
  EXPECT_TRUE(engine_->NewSequence() > 0) << "the engine is still usable";
}

TEST_F(ExplanationTest, TheLoopWritesWhatGenerateWrites) {
  for (const float temperature : {0.0f, 0.9f}) {
    options_.sampling.temperature = temperature;
    options_.num_tokens = 12;
    const Explanation e = Run();
    engine::Session session(*engine_);
    engine::GenerateOptions generate;
    generate.sampling = options_.sampling;
    generate.max_tokens = 12;
    generate.draft_tokens = 0;
    const auto written = session.Generate(prompt_, generate, {});
    ASSERT_TRUE(written);
    std::vector<engine::TokenId> ids;
    for (const auto& token : written->tokens) ids.push_back(token.id);
    std::vector<engine::TokenId> explained;
    for (const auto& step : e.steps) explained.push_back(step.candidates[step.chosen].token.id);
    if (e.ended) explained.pop_back();
    EXPECT_EQ(explained, ids) << temperature;
  }
}

TEST_F(ExplanationTest, CandidatesHaveTheModelsProbabilitiesAndTheSettings) {
  options_.num_candidates = 1000000;  // more than there are
  options_.num_tokens = 1;
  options_.sampling.top_k = 3;
  options_.sampling.top_p = 1;
  const ExplainedStep step = Run().steps.at(0);
  ASSERT_EQ(step.candidates.size(), engine_->vocab_size());
  double all = 0;
  double kept = 0;
  size_t num_kept = 0;
  for (const auto& candidate : step.candidates) {
    all += candidate.probability;
    kept += candidate.kept.value_or(0);
    num_kept += candidate.kept ? 1 : 0;
  }
  EXPECT_NEAR(all, 1, 1e-6);
  EXPECT_NEAR(kept, 1, 1e-9);
  EXPECT_EQ(num_kept, 3u);
  EXPECT_EQ(step.num_kept, 3u);
  EXPECT_LT(step.chosen, 3u);
  EXPECT_GE(step.candidates[0].logit, step.candidates[1].logit);
}

TEST_F(ExplanationTest, GreedyKeepsOne) {
  options_.sampling.temperature = 0;
  const Explanation e = Run();
  EXPECT_EQ(e.steps[0].num_kept, 1u);
  EXPECT_EQ(e.steps[0].chosen, 0u);
  EXPECT_EQ(e.steps[0].candidates[0].kept, 1.0);
  EXPECT_FALSE(e.steps[0].candidates[1].kept);
}

TEST_F(ExplanationTest, TooLongATextIsRefused) {
  prompt_.assign(257, prompt_[0]);
  const auto refused = Explain(*engine_, prompt_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResource);
  EXPECT_THAT(refused.error().message, HasSubstr("got 257 tokens, at most 256"));
  EXPECT_FALSE(Explain(*engine_, {}, options_));
}

}  // namespace
}  // namespace vade::qa
