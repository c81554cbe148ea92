// The prompt and its ledger: everything that went in is named, and everything that did not.
#include "qa/answer/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace vade::qa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

size_t Words(std::string_view text) {
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n';
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

retriever::Passage PassageOf(const std::string& path, size_t words) {
  retriever::Passage passage;
  passage.path = path;
  passage.first_page = "7";
  passage.heading_path = "Care";
  for (size_t i = 0; i < words; ++i) passage.text += path + std::to_string(i) + " ";
  return passage;
}

TEST(BuildPrompt, NumbersThePassagesAndAsksInTheQuestionsLanguage) {
  const auto prompt = BuildPrompt(ReadQuestion("How do I clean it?"),
                                  {PassageOf("a", 5), PassageOf("b", 5)}, 1000, Words);
  ASSERT_TRUE(prompt) << prompt.error().message;
  ASSERT_EQ(prompt->messages.size(), 2u);
  EXPECT_THAT(prompt->messages[0].content, HasSubstr("Not in these documents."));
  EXPECT_THAT(prompt->messages[1].content, HasSubstr("[1] a, p. 7, Care\na0 a1"));
  EXPECT_THAT(prompt->messages[1].content, HasSubstr("[2] b, p. 7, Care\nb0"));
  EXPECT_TRUE(prompt->messages[1].content.ends_with("Question: How do I clean it?"));
  const auto korean =
      BuildPrompt(ReadQuestion("어떻게 청소하나요?"), {PassageOf("a", 5)}, 1000, Words);
  EXPECT_THAT(korean->messages[0].content, HasSubstr("이 문서들에 없습니다."));
}

TEST(BuildPrompt, WhatDoesNotFitIsNamedAndNeverCut) {
  const auto prompt =
      BuildPrompt(ReadQuestion("How?"),
                  {PassageOf("a", 50), PassageOf("b", 500), PassageOf("c", 50)}, 300, Words);
  ASSERT_TRUE(prompt) << prompt.error().message;
  EXPECT_THAT(prompt->passages, ElementsAre(0, 2));
  EXPECT_THAT(prompt->messages[1].content, HasSubstr("[2] c"));
  EXPECT_THAT(prompt->messages[1].content, HasSubstr("c49"));
  EXPECT_THAT(prompt->messages[1].content, Not(HasSubstr("b0")));
  ASSERT_EQ(prompt->ledger.size(), 5u);
  EXPECT_FALSE(prompt->ledger[3].included);
  EXPECT_THAT(prompt->ledger[3].what, HasSubstr("passage 2: b"));
  EXPECT_THAT(prompt->ledger[3].reason, HasSubstr("are left"));
  const size_t used = std::accumulate(prompt->ledger.begin(), prompt->ledger.end(), size_t{0},
                                      [](size_t sum, const LedgerEntry& entry) {
                                        return sum + (entry.included ? entry.tokens : 0);
                                      });
  EXPECT_LE(used, prompt->budget_tokens);
}

TEST(BuildPrompt, NoRoomForAnyPassageIsAnErrorWithNumbers) {
  const auto prompt = BuildPrompt(ReadQuestion("How?"), {PassageOf("a", 500)}, 200, Words);
  ASSERT_FALSE(prompt);
  EXPECT_EQ(prompt.error().code, ErrorCode::kResource);
  EXPECT_THAT(prompt.error().message, HasSubstr("200 tokens of context"));
}

}  // namespace
}  // namespace vade::qa
