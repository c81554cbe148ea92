// Whole conversations: over a fake store, composed, and written by a scripted model.
#include "qa/chat/chat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/local_model.h"
#include "tests/support/fake_decoder.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"
#include "tests/support/scripted_model.h"

namespace vade::qa {
namespace {

using ::testing::HasSubstr;

class ChatTest : public ::testing::Test {
 protected:
  ChatTest() {
    vade::testing::AddDocument(
        store_, embedder_, "p200.pdf", "AquaLift P200",
        {{"Reset", "To reset the pump, hold the green button for 10 seconds.", "4"},
         {"Data", "Item | Value\nMaximum pressure | 8 bar\nWeight | 9 kg", "5"}});
    vade::testing::AddDocument(
        store_, embedder_, "p350.pdf", "AquaLift P350",
        {{"Data", "Item | Value\nMaximum pressure | 10 bar\nWeight | 12 kg", "5"}});
  }

  ChatReply Ask(Chat& chat, const std::string& question) {
    auto reply = chat.Ask(question, options_, {}, nullptr);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *std::move(reply) : ChatReply{};
  }

  vade::testing::FakeStore store_;
  vade::testing::FakeEmbedder embedder_;
  std::unique_ptr<vade::testing::FakeDecoder> owned_ =
      std::make_unique<vade::testing::FakeDecoder>(6000);
  vade::testing::FakeDecoder& engine_ = *owned_;
  engine::LocalModel model_{std::move(owned_)};
  ChatOptions options_;
};

TEST_F(ChatTest, AFollowUpCarriesTheTopic) {
  Chat chat(&store_, &embedder_, nullptr);
  const ChatReply first = Ask(chat, "What is the maximum pressure of the P200?");
  EXPECT_EQ(first.rewriting, Rewriting::kNone);
  EXPECT_THAT(first.composed->Text(), HasSubstr("8 bar"));
  const ChatReply second = Ask(chat, "What about the P350?");
  EXPECT_EQ(second.rewriting, Rewriting::kCarried);
  EXPECT_EQ(second.standalone, "What is the maximum pressure of the P350?");
  EXPECT_THAT(second.composed->Text(), HasSubstr("10 bar"));
  ASSERT_EQ(chat.history().turns().size(), 2u);
  EXPECT_EQ(chat.history().turns()[1].question, "What about the P350?");
  EXPECT_FALSE(chat.history().turns()[1].citations.empty());
}

TEST_F(ChatTest, ANewConversationHasNoTopic) {
  Chat chat(&store_, &embedder_, nullptr);
  EXPECT_EQ(Ask(chat, "How long does it take?").standalone, "How long does it take?");
}

TEST_F(ChatTest, AModelGoesOnWhereItsPromptEnded) {
  Chat chat(&store_, &embedder_, &model_);
  engine_.script = "Hold the green button for 10 seconds [1].";
  const ChatReply first = Ask(chat, "How do I reset the pump?");
  ASSERT_TRUE(first.written);
  ASSERT_FALSE(first.written->refused);
  EXPECT_EQ(first.written->citations.at(0).path, "p200.pdf");
  EXPECT_EQ(first.history_turns, 0u);
  const size_t known = chat.history().turns()[0].passages.size();
  EXPECT_GT(known, 0u);

  const ChatReply second = Ask(chat, "Which button of the pump resets and how long is it held?");
  EXPECT_EQ(second.history_turns, 1u);
  EXPECT_GT(second.written->generation.reused_tokens, first.written->generation.prompt_tokens - 50)
      << "the first prompt is not computed again";
  EXPECT_TRUE(second.written->shown.empty()) << "passages of the turn before are not repeated";
  EXPECT_FALSE(second.written->refused) << "and may still be cited";
}

TEST_F(ChatTest, TheModelsRewritingIsTakenWhenItIsFaithful) {
  Chat chat(&store_, &embedder_, &model_);
  engine_.script = "Hold the green button for 10 seconds [1].";
  (void)Ask(chat, "How do I reset the pump?");
  engine_.script = "How long must I hold the green button of the pump?";
  const ChatReply faithful = Ask(chat, "How long must I hold it?");
  EXPECT_EQ(faithful.rewriting, Rewriting::kByModel);
  EXPECT_EQ(faithful.standalone, *engine_.script);
  engine_.script = "Tell me about volcanoes in Iceland";
  const ChatReply invented = Ask(chat, "How long must I hold it?");
  EXPECT_EQ(invented.rewriting, Rewriting::kCarried);
  EXPECT_THAT(invented.standalone, HasSubstr("How long must I hold it?"));
}

TEST_F(ChatTest, HistoryStaysInItsBudget) {
  Chat chat(&store_, &embedder_, &model_);
  engine_.script = "Hold the green button for 10 seconds [1].";
  options_.history_tokens = 700;
  for (int i = 0; i < 5; ++i) {
    const ChatReply reply = Ask(chat, "How do I reset the pump number " + std::to_string(i) + "?");
    EXPECT_LE(reply.history_tokens, 700u);
    EXPECT_EQ(reply.history_turns + reply.left_out_turns, static_cast<size_t>(i));
    EXPECT_FALSE(reply.written->refused) << i;
  }
  options_.history_tokens = 0;
  EXPECT_EQ(Ask(chat, "How do I reset the pump?").history_turns, 0u);
}

TEST_F(ChatTest, AStoppedAnswerIsNotRemembered) {
  Chat chat(&store_, &embedder_, &model_);
  CancelToken cancel;
  cancel.Cancel();
  const auto reply = chat.Ask("How do I reset the pump?", options_, {}, &cancel);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(chat.history().turns().empty());
}

TEST_F(ChatTest, AModelAloneTalksWithMemory) {
  Chat chat(nullptr, nullptr, &model_);
  engine_.script = "hi there";
  std::string streamed;
  ChatSinks sinks;
  sinks.text = [&](std::string_view text) {
    streamed += text;
    return true;
  };
  const auto reply = chat.Ask("hello", options_, sinks, nullptr);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->plain->text, "hi there");
  EXPECT_EQ(streamed, "hi there");
  EXPECT_EQ(Ask(chat, "and it?").standalone, "and it?") << "nothing is rewritten";
  EXPECT_EQ(chat.history().turns().size(), 2u);
}

TEST_F(ChatTest, ToolsAreUsedAndTheirPassagesRemembered) {
  vade::testing::ScriptedModel model(
      {vade::testing::Calls({{"search_library", R"({"query":"reset the pump","k":1})"}}),
       vade::testing::Says("To reset the pump, hold the green button for 10 seconds. [1]"),
       vade::testing::Says("Hold the green button for 10 seconds. [1]")});
  Chat chat(&store_, &embedder_, &model);
  options_.tools.emplace();
  const ChatReply first = Ask(chat, "How do I reset the pump?");
  ASSERT_TRUE(first.tooled);
  EXPECT_EQ(first.tooled->run.trace.size(), 1u);
  EXPECT_EQ(first.tooled->citations.size(), 1u);
  const ChatReply second = Ask(chat, "How long?");
  EXPECT_EQ(second.rewriting, Rewriting::kNone) << "the model knows the conversation";
  ASSERT_TRUE(second.tooled);
  EXPECT_TRUE(second.tooled->is_grounded) << "what the turn before read may be cited";
  EXPECT_EQ(second.tooled->citations.size(), 1u);
  EXPECT_THAT(model.requests.back().messages[1].content, HasSubstr("green button"));
  EXPECT_EQ(chat.history().turns().size(), 2u);
}

}  // namespace
}  // namespace vade::qa
