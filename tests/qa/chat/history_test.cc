#include "qa/chat/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Bytes(std::string_view text) { return text.size(); }

ChatTurn Turn(const std::string& question, const std::string& words, size_t num_passages) {
  ChatTurn turn;
  turn.question = turn.standalone = question;
  turn.words = turn.answer = words;
  for (size_t i = 0; i < num_passages; ++i) {
    retriever::Passage passage;
    passage.path = question + std::to_string(i);
    passage.text = "text of " + passage.path;
    turn.passages.push_back(passage);
  }
  return turn;
}

TEST(ChatHistory, GivesTurnsAsTheirPromptsHadThem) {
  ChatHistory history;
  history.Add(Turn("one?", "First [1]. Second [2].", 2), 0);
  history.Add(Turn("two?", "Third [3]. Again [1].", 1), 2);
  const PromptHistory prompt = history.ForPrompt(100000, Bytes);
  ASSERT_EQ(prompt.messages.size(), 4u);
  EXPECT_THAT(prompt.messages[0].content, HasSubstr("[1] one?0"));
  EXPECT_THAT(prompt.messages[0].content, HasSubstr("[2] one?1"));
  EXPECT_EQ(prompt.messages[1].role, "assistant");
  EXPECT_EQ(prompt.messages[1].content, "First [1]. Second [2].");
  EXPECT_THAT(prompt.messages[2].content, HasSubstr("[3] two?0"));
  EXPECT_EQ(prompt.messages[3].content, "Third [3]. Again [1].");
  EXPECT_EQ(prompt.passages.size(), 3u);
}

TEST(ChatHistory, OldTurnsGoWhenTheBudgetIsFullAndNumbersFollow) {
  ChatHistory history;
  history.Add(Turn("one?", "First [1].", 2), 0);
  history.Add(Turn("two?", "Third [3], again [1].", 1), 2);
  const size_t all = history.ForPrompt(100000, Bytes).tokens;
  const PromptHistory prompt = history.ForPrompt(all - 1, Bytes);
  ASSERT_EQ(prompt.messages.size(), 2u);
  EXPECT_LE(prompt.tokens, all - 1);
  EXPECT_THAT(prompt.messages[0].content, HasSubstr("[1] two?0"));
  EXPECT_EQ(prompt.messages[1].content, "Third [1], again.") << "[1] of the first turn is gone";
  EXPECT_EQ(prompt.passages.size(), 1u);
  EXPECT_TRUE(history.ForPrompt(0, Bytes).messages.empty());
}

TEST(ChatHistory, ATurnAnsweredWithAShorterHistoryIsNumberedLikeTheRest) {
  ChatHistory history;
  history.Add(Turn("one?", "First [1].", 2), 0);
  history.Add(Turn("two?", "Second [1].", 1), 0);  // its prompt had no history
  EXPECT_EQ(history.ForPrompt(100000, Bytes).messages[3].content, "Second [3].");
}

TEST(ChatHistory, TurnsWithoutPassagesArePlainMessages) {
  ChatHistory history;
  history.Add(Turn("hello", "hi", 0), 0);
  const PromptHistory prompt = history.ForPrompt(1000, Bytes);
  EXPECT_EQ(prompt.messages[0].content, "hello");
  EXPECT_EQ(prompt.messages[1].content, "hi");
  history.Clear();
  EXPECT_TRUE(history.turns().empty());
  EXPECT_TRUE(history.ForPrompt(1000, Bytes).messages.empty());
}

TEST(ChatHistory, DigestsAreBoundedAndWhole) {
  ChatHistory history;
  for (int i = 0; i < 50; ++i) {
    history.Add(Turn("question " + std::to_string(i), std::string(300, 'a') + "끝", 0), 0);
  }
  const std::string digest = history.Digest(600);
  EXPECT_LE(digest.size(), 600u);
  EXPECT_THAT(digest, HasSubstr("question 49"));
  EXPECT_THAT(digest, Not(HasSubstr("question 40")));
}

TEST(ShiftMarks, TouchesNumbersInBracketsOnly) {
  EXPECT_EQ(ShiftMarks("a [3] b [x] [12] c[", 2), "a [1] b [x] [10] c[");
  EXPECT_EQ(ShiftMarks("a [1].", 5), "a.");
  EXPECT_EQ(ShiftMarks("[99999999999999999999999] [0]", 1), "[99999999999999999999999] [0]");
}

}  // namespace
}  // namespace vade::qa
