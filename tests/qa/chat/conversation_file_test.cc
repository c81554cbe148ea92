#include "qa/chat/conversation_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/process.h"

namespace vade::qa {
namespace {

using ::testing::HasSubstr;

class ConversationFileTest : public ::testing::Test {
 protected:
  std::string ErrorOf(const std::string& text) {
    const auto loaded = LoadConversation(folder_.Write("talk.json", text));
    return loaded ? "accepted" : loaded.error().message;
  }
  vade::testing::TemporaryFolder folder_;
};

TEST_F(ConversationFileTest, WhatIsSavedIsLoaded) {
  ChatTurn turn;
  turn.question = "얼마나?";
  turn.standalone = "얼마나? (필터)";
  turn.answer = "매월 [1].";
  turn.citations.push_back({.number = 1,
                            .path = "ko.md",
                            .heading_path = "청소",
                            .page = "iv",
                            .quote = "필터는 \"매월\""});
  ChatTurn refused;
  refused.question = "\xff?";
  refused.refused = true;
  const auto path = folder_.path() / "talk.json";
  ASSERT_TRUE(SaveConversation(path, {turn, refused}));
  ASSERT_TRUE(SaveConversation(path, {turn, refused})) << "an existing one is replaced";
  const auto loaded = LoadConversation(path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->size(), 2u);
  EXPECT_EQ((*loaded)[0].standalone, turn.standalone);
  EXPECT_EQ((*loaded)[0].answer, turn.answer);
  EXPECT_EQ((*loaded)[0].words, "매월.") << "marks of passages that are not in the prompt";
  EXPECT_EQ((*loaded)[0].citations.at(0).quote, turn.citations[0].quote);
  EXPECT_EQ((*loaded)[0].citations.at(0).page, "iv");
  EXPECT_TRUE((*loaded)[1].refused);
  EXPECT_EQ((*loaded)[1].question, "\xEF\xBF\xBD?");
}

TEST_F(ConversationFileTest, BrokenFilesAreRefusedWithTheirPlace) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("talk.json"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("want an object"));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("\"vade_conversation\" is missing"));
  EXPECT_THAT(ErrorOf(R"({"vade_conversation": 2, "turns": []})"), HasSubstr("version 2, want 1"));
  EXPECT_THAT(ErrorOf(R"({"vade_conversation": 1, "turns": {}})"), HasSubstr("want a list"));
  EXPECT_THAT(ErrorOf(R"({"vade_conversation": 1, "turns": [7]})"),
              HasSubstr("turn 1: got number, want an object"));
  EXPECT_THAT(ErrorOf(R"({"vade_conversation": 1, "turns": [{"question": 3}]})"),
              HasSubstr("turn 1: \"question\": got number, want a string"));
  EXPECT_THAT(ErrorOf(R"({"vade_conversation": 1, "turns": [{"question": "q", "standalone": "q",
                          "answer": "a", "refused": false, "sources": [{"number": -1}]}]})"),
              HasSubstr("turn 1, source 1: \"number\""));
  EXPECT_THAT(ErrorOf(std::string(5000, '[')), HasSubstr("talk.json"));
  std::string many = R"({"vade_conversation": 1, "turns": [0)";
  for (size_t i = 0; i < kMaxConversationTurns; ++i) many += ",0";
  EXPECT_THAT(ErrorOf(many + "]}"), HasSubstr("at most 10000"));
  EXPECT_EQ(LoadConversation(folder_.path() / "none").error().code, ErrorCode::kNotFound);
}

TEST_F(ConversationFileTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_FALSE(SaveConversation(folder_.path() / "none" / "talk.json", {}));
}

}  // namespace
}  // namespace vade::qa
