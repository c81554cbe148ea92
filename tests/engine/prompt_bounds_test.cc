// Bounds hold for a real tokenizer's counts, and say what was cut.
#include "engine/prompt_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::engine {
namespace {

using ::testing::HasSubstr;

// The larger of the counts by the vocabularies of Llama 2 (32,000 entries) and Llama 3 (128,256).
struct Counted {
  const char* text;
  size_t tokens;
};
constexpr Counted kCounted[] = {
    {"", 0},
    {"Hello, world!", 4},
    {"To reset the pump, hold the green button for 10 seconds.", 16},
    {"E-204 | Low flow | Clean the inlet", 14},
    {"        indented\n\n\n", 6},
    {"https://example.com/a?b=c&d=%20e#f xQ9zKp2vLmW", 30},
    {"서버를 다시 시작하려면 전원 단추를 누르십시오.", 41},
    {"설정 > 네트워크에서 와이파이를 선택하고 비밀번호를 입력합니다.", 57},
    {"Die Übergangsmaßnahmen für Größenänderungen wären naheliegend.", 21},
    {"このポンプを再起動するには、緑のボタンを押してください。", 33},
};

TEST(PromptBounds, TheTruthIsBetween) {
  for (const Counted& counted : kCounted) {
    EXPECT_GE(EstimateTokens(counted.text), counted.tokens) << counted.text;
    EXPECT_LE(LeastTokens(counted.text), counted.tokens) << counted.text;
  }
  EXPECT_LT(EstimateTokens(kCounted[2].text), 2 * kCounted[2].tokens) << "but not far off";
}

TEST(PromptBounds, RareCharactersCostTheirBytes) {
  EXPECT_GE(EstimateTokens("\xF0\x9F\xA4\x96"), 4u);
  EXPECT_GE(EstimateTokens("\xFF\xFE"), 2u) << "not even UTF-8";
}

TEST(PromptBounds, ARequestCountsAllItsParts) {
  ModelRequest request;
  request.messages = {{"user", "one two three"}};
  const size_t bare = EstimatePrompt(request);
  EXPECT_EQ(LeastPrompt(request), 3u);
  request.tools.push_back({"search", "finds", "{\"type\":\"object\"}"});
  EXPECT_GT(EstimatePrompt(request), bare + 10);
  request.tool_choice.mode = ToolChoice::Mode::kNone;
  EXPECT_EQ(EstimatePrompt(request), bare);
  request.prompt = "one two";
  EXPECT_EQ(LeastPrompt(request), 2u);
}

TEST(PromptBounds, WhatDoesNotFitIsRefusedWithNumbers) {
  EXPECT_TRUE(CheckFits({99, true}, 100));
  const auto full = CheckFits({100, false}, 100);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(full.error().message,
              HasSubstr("up to 100 tokens leave no room in a context of 100"));
}

TEST(PromptBounds, AServerThatReadTooLittleIsFound) {
  ModelRequest request;
  request.messages = {{"user", "one two three four"}};
  EXPECT_TRUE(CheckReported(request, 4, "m"));
  EXPECT_TRUE(CheckReported(request, 0, "m")) << "it does not say";
  const auto cut = CheckReported(request, 3, "m");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(cut.error().message, HasSubstr("the server read only 3 of at least 4 tokens"));
}

}  // namespace
}  // namespace vade::engine
