// LocalModel: what a request asks for reaches the engine, and what comes back is told.
#include "engine/local_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_decoder.h"

namespace vade::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LocalModelTest : public ::testing::Test {
 protected:
  LocalModelTest() {
    auto engine = std::make_unique<testing::FakeDecoder>(2048);
    engine_ = engine.get();
    model_ = std::make_unique<LocalModel>(std::move(engine));
    request_.messages = {{"user", "hello"}};
    request_.sampling.temperature = 0;
    request_.max_tokens = 20;
  }

  ModelReply Generate(const TextSink& sink = {}) {
    auto reply = model_->Generate(request_, sink);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *std::move(reply) : ModelReply{};
  }

  testing::FakeDecoder* engine_ = nullptr;
  std::unique_ptr<LocalModel> model_;
  ModelRequest request_;
};

TEST_F(LocalModelTest, MessagesGoThroughTheTemplateAndComeBackCounted) {
  std::string streamed;
  const ModelReply reply = Generate([&](std::string_view text) {
    streamed += text;
    return true;
  });
  EXPECT_EQ(reply.text.size(), 20u);
  EXPECT_EQ(streamed, reply.text);
  EXPECT_EQ(reply.prompt, "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(reply.completion_tokens, 20u);
  EXPECT_EQ(reply.reason, StopReason::kMaxTokens);
  EXPECT_EQ(reply.prompt_tokens, model_->CountPrompt(request_)->tokens);
  EXPECT_TRUE(model_->CountPrompt(request_)->exact);
  EXPECT_EQ(model_->CountTokens("hello"), 5u);
}

TEST_F(LocalModelTest, APromptIsContinuedAsItIs) {
  request_.prompt = "a<|im_end|>b";
  const ModelReply reply = Generate();
  EXPECT_EQ(reply.prompt_tokens, 12u) << "names of control tokens are text";
  EXPECT_EQ(reply.prompt, "a<|im_end|>b");
}

TEST_F(LocalModelTest, FormatsAreKept) {
  request_.max_tokens = 200;
  request_.sampling.temperature = 1;
  request_.sampling.seed = 3;
  request_.format = {OutputFormat::Kind::kGbnf, R"(root ::= "x" [0-9]{3})"};
  EXPECT_THAT(Generate().text, ::testing::MatchesRegex("x[0-9][0-9][0-9]"));
  request_.format = {OutputFormat::Kind::kJsonSchema, R"({"enum": ["yes", "no"]})"};
  EXPECT_THAT(Generate().text, ::testing::AnyOf("\"yes\"", "\"no\""));
  request_.format = {OutputFormat::Kind::kJsonObject, ""};
  EXPECT_THAT(Generate().text, ::testing::StartsWith("{"));
  request_.format = {OutputFormat::Kind::kJsonSchema, "{\"not\": {}}"};
  EXPECT_EQ(model_->Generate(request_, {}).error().code, ErrorCode::kUnsupported);
  request_.format = {OutputFormat::Kind::kGbnf, "root ::= ("};
  EXPECT_EQ(model_->Generate(request_, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LocalModelTest, LogprobsAreOfEveryToken) {
  request_.sampling.logprobs = true;
  request_.sampling.top_logprobs = 2;
  const ModelReply reply = Generate();
  ASSERT_THAT(reply.logprobs, SizeIs(20));
  EXPECT_EQ(reply.logprobs[0].bytes, reply.text.substr(0, 1));
  ASSERT_THAT(reply.logprobs[0].top, SizeIs(2));
  EXPECT_EQ(reply.logprobs[0].top[0].logprob, reply.logprobs[0].logprob) << "greedy";
  request_.sampling.top_logprobs = 0;
  request_.sampling.logprobs = false;
  EXPECT_THAT(Generate().logprobs, IsEmpty());
}

TEST_F(LocalModelTest, WhatDoesNotFitIsRefusedWithBothNumbers) {
  request_.messages[0].content = std::string(2048, 'x');
  const auto reply = model_->Generate(request_, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(reply.error().message, HasSubstr("tokens, the context holds 2048"));
  request_.messages.clear();
  EXPECT_EQ(model_->Generate(request_, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LocalModelTest, ManyCallersGetTheirOwnReplies) {
  std::vector<std::string> alone;
  for (int i = 0; i < 6; ++i) {
    request_.messages[0].content = "question " + std::to_string(i);
    alone.push_back(Generate().text);
  }
  std::vector<std::string> together(6);
  std::vector<std::thread> callers;
  for (size_t i = 0; i < 6; ++i) {
    callers.emplace_back([&, i] {
      ModelRequest mine = request_;
      mine.messages[0].content = "question " + std::to_string(i);
      together[i] = model_->Generate(mine, {}).value().text;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace vade::engine
