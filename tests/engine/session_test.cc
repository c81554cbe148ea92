// The generation loop: what ends it, what is computed twice, and that guessing changes nothing.
#include "engine/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_decoder.h"

namespace vade::engine {
namespace {

using ::testing::HasSubstr;

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { options_.sampling.temperature = 0; }

  Generation Generate(const std::string& prompt, const TextSink& sink = {}) {
    auto generation = session_.Generate(engine_.tokenizer().Encode(prompt, false, true), options_,
                                        sink, &cancel_);
    EXPECT_TRUE(generation) << generation.error().message;
    return generation ? *std::move(generation) : Generation{};
  }

  testing::FakeDecoder engine_;
  Session session_{engine_};
  GenerateOptions options_;
  CancelToken cancel_;
};

TEST_F(SessionTest, StreamsWhatItReturns) {
  options_.max_tokens = 40;
  std::string streamed;
  const Generation generation = Generate("hello", [&](std::string_view text) {
    streamed += text;
    return true;
  });
  EXPECT_EQ(generation.text.size(), 40u);
  EXPECT_EQ(streamed, generation.text);
  EXPECT_EQ(generation.tokens.size(), 40u);
  EXPECT_EQ(generation.prompt_tokens, 5u);
  EXPECT_EQ(generation.reason, StopReason::kMaxTokens);
}

TEST_F(SessionTest, GuessingChangesTheWorkAndNotTheText) {
  for (const float temperature : {0.0f, 0.7f}) {
    options_.sampling.temperature = temperature;
    options_.sampling.seed = 11;
    options_.max_tokens = 150;
    options_.draft_tokens = 0;
    const Generation plain = Generate("abcabcabc");
    EXPECT_EQ(plain.drafted_tokens, 0u);
    for (const size_t draft : {1u, 4u, 16u}) {
      options_.draft_tokens = draft;
      engine_.num_passes = 0;
      const Generation guessed = Generate("abcabcabc");
      EXPECT_EQ(guessed.text, plain.text) << draft;
      EXPECT_LE(guessed.accepted_tokens, guessed.drafted_tokens);
      if (temperature == 0) {
        EXPECT_GT(guessed.accepted_tokens, 20u) << "the rule runs into a loop";
        EXPECT_LT(engine_.num_passes, 150u - guessed.accepted_tokens + 3);
      }
    }
  }
}

TEST_F(SessionTest, TheSameSeedGivesTheSameTextAndAnotherSeedAnother) {
  options_.sampling.temperature = 1;
  options_.sampling.seed = 1;
  options_.max_tokens = 60;
  const std::string first = Generate("seed").text;
  EXPECT_EQ(Generate("seed").text, first);
  options_.sampling.seed = 2;
  EXPECT_NE(Generate("seed").text, first);
  options_.sampling.seed.reset();
  const Generation drawn = Generate("seed");
  options_.sampling.seed = drawn.seed;
  EXPECT_EQ(Generate("seed").text, drawn.text);
}

TEST_F(SessionTest, AnEqualBeginningIsComputedOnce) {
  options_.max_tokens = 1;
  EXPECT_EQ(Generate("the same beginning, one").reused_tokens, 0u);
  engine_.num_rows = 0;
  const Generation again = Generate("the same beginning, two");
  EXPECT_EQ(again.reused_tokens, 20u);
  EXPECT_EQ(engine_.num_rows, 3u);
  EXPECT_EQ(Generate("the same beginning, two").reused_tokens, 22u)
      << "the last is always computed";
  const Generation other = Generate("zwei");
  EXPECT_EQ(other.reused_tokens, 0u);
  Session fresh(engine_);
  const auto alone = fresh.Generate(engine_.tokenizer().Encode("zwei", false, true), options_, {});
  EXPECT_EQ(alone->text, other.text);
}

TEST_F(SessionTest, AContinuedAnswerIsReusedAsWell) {
  options_.max_tokens = 50;
  const Generation first = Generate("abcabc");
  engine_.num_rows = 0;
  const Generation second = Generate("abcabc" + first.text);
  // All but the last token of the answer, which was never fed back.
  EXPECT_EQ(second.reused_tokens, 6u + 49u);
}

TEST_F(SessionTest, EndsAtTheModelsEnd) {
  engine_.script = "it is done";
  const Generation generation = Generate("say\n");
  EXPECT_EQ(generation.text, "it is done");
  EXPECT_EQ(generation.reason, StopReason::kEnd);
  options_.ignore_end = true;
  options_.max_tokens = 30;
  EXPECT_EQ(Generate("say\n").tokens.size(), 30u);
}

TEST_F(SessionTest, EndsBeforeAStopString) {
  engine_.script = "first part STOP second part";
  options_.stop = {"STOP"};
  const Generation generation = Generate("say\n");
  EXPECT_EQ(generation.text, "first part ");
  EXPECT_EQ(generation.reason, StopReason::kStopString);
  EXPECT_EQ(generation.stop_string, "STOP");
}

TEST_F(SessionTest, EndsWhereTheContextDoes) {
  const std::string prompt(200, 'x');
  const Generation generation = Generate(prompt);
  EXPECT_EQ(generation.reason, StopReason::kContextFull);
  EXPECT_EQ(generation.prompt_tokens + generation.tokens.size(), 256u);
}

TEST_F(SessionTest, APromptThatIsTooLongIsRefusedWithBothNumbers) {
  const auto tokens = engine_.tokenizer().Encode(std::string(256, 'x'), false, false);
  const auto generation = session_.Generate(tokens, options_, {});
  ASSERT_FALSE(generation);
  EXPECT_EQ(generation.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(generation.error().message, HasSubstr("256 tokens, the context holds 256"));
  EXPECT_EQ(session_.Generate({}, options_, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SessionTest, StopsForItsCallerWithinOneToken) {
  size_t calls = 0;
  const Generation told = Generate("abc", [&](std::string_view) { return ++calls < 3; });
  EXPECT_EQ(told.reason, StopReason::kCaller);
  EXPECT_EQ(told.tokens.size(), 3u);
  const Generation cancelled = Generate("abc", [&](std::string_view) {
    cancel_.Cancel();
    return true;
  });
  EXPECT_EQ(cancelled.reason, StopReason::kCancelled);
  EXPECT_EQ(cancelled.tokens.size(), 1u);
  EXPECT_EQ(Generate("other").reason, StopReason::kCancelled) << "before the first token as well";
}

TEST_F(SessionTest, WritesOnlyWhatTheGrammarAllows) {
  options_.grammar = runtime::Grammar::Parse(R"(root ::= [x-z]{2} "-" [0-9]+ "!")").value();
  options_.max_tokens = 40;
  options_.sampling.temperature = 1;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    options_.sampling.seed = seed;
    const Generation generation = Generate("abc");
    EXPECT_THAT(generation.text, ::testing::MatchesRegex("[x-z][x-z]-[0-9]+!?"));
    EXPECT_EQ(generation.reason == StopReason::kEnd, generation.text.ends_with("!"));
  }
}

TEST_F(SessionTest, BadOptionsAreNamed) {
  options_.sampling.top_p = 2;
  const auto generation = session_.Generate(std::vector<TokenId>{'a'}, options_, {});
  ASSERT_FALSE(generation);
  EXPECT_THAT(generation.error().message, HasSubstr("top_p"));
}

}  // namespace
}  // namespace vade::engine
