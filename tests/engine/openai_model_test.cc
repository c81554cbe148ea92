// OpenAiModel against servers that say what llama-server and others say.
#include "engine/openai_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_server.h"

namespace vade::engine {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServedAnswer;
using testing::ServedRequest;

const std::map<std::string, std::string> kSse = {{"Content-Type", "text/event-stream"}};
constexpr const char* kChat =
    ": ping\n\n"
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"Hold \"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"it.\"},\"finish_reason\":null}]}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":3,"
    "\"prompt_tokens_details\":{\"cached_tokens\":5}}}\n\n"
    "data: [DONE]\n\n";

class OpenAiModelTest : public ::testing::Test {
 protected:
  ServedAnswer Answer(const ServedRequest& request) {
    const auto found = answers_.find(request.target);
    return found == answers_.end() ? ServedAnswer{.status = 404, .body = "{}"} : found->second;
  }
  void BeLlamaServer() {
    answers_["/props"] = {.body = R"({"default_generation_settings":{"n_ctx":2048}})"};
    answers_["/apply-template"] = {.body = R"({"prompt":"<s>user: hi"})"};
    answers_["/tokenize"] = {.body = R"({"tokens":[1,2,3,4,5]})"};
  }
  Result<std::unique_ptr<OpenAiModel>> Open(size_t context_length = 0) {
    return OpenAiModel::Open(
        {.kind = remote::ServerKind::kOpenAi, .base_url = server_.url() + "/v1"}, "m",
        {.context_length = context_length});
  }
  Result<ModelReply> Generate() {
    VADE_TRY(const auto model, Open());
    return model->Generate(request_, [this](std::string_view text) {
      streamed_.emplace_back(text);
      return true;
    });
  }
  json Sent() { return json::parse(server_.requests().back().body); }

  std::map<std::string, ServedAnswer> answers_{
      {"/v1/models", {.body = R"({"data":[{"id":"m","max_model_len":1024}]})"}},
      {"/v1/chat/completions", {.headers = kSse, .body = kChat}}};
  HttpServer server_{[this](const ServedRequest& request) { return Answer(request); }};
  ModelRequest request_{.messages = {{"user", "How do I reset it?"}}};
  std::vector<std::string> streamed_;
};

TEST_F(OpenAiModelTest, AReplyComesInPiecesWithItsCounts) {
  const auto reply = Generate();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->text, "Hold it.");
  EXPECT_THAT(streamed_, ElementsAre("Hold ", "it."));
  EXPECT_EQ(reply->prompt_tokens, 20u);
  EXPECT_EQ(reply->reused_tokens, 5u);
  EXPECT_EQ(reply->completion_tokens, 3u);
  EXPECT_EQ(Sent()["stream_options"]["include_usage"], true);
  EXPECT_FALSE(Sent().contains("top_k")) << "others refuse what they do not know";
}

TEST_F(OpenAiModelTest, TheContextIsWhatTheServerSays) {
  EXPECT_EQ((*Open())->context_length(), 1024u);
  EXPECT_THAT(Open(2000).error().message, HasSubstr("the server has 1024"));
  BeLlamaServer();
  EXPECT_EQ((*Open())->context_length(), 2048u);
  answers_.clear();
  EXPECT_EQ((*Open())->context_length(), kDefaultRemoteContext);
}

TEST_F(OpenAiModelTest, LlamaServerCountsAndTakesMore) {
  BeLlamaServer();
  const auto model = Open();
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->CountTokens("anything"), 5u);
  const auto count = (*model)->CountPrompt(request_);
  ASSERT_TRUE(count);
  EXPECT_EQ(count->tokens, 5u);
  EXPECT_TRUE(count->exact);
  request_.format = {OutputFormat::Kind::kGbnf, "root ::= \"x\""};
  ASSERT_TRUE(Generate());
  EXPECT_EQ(Sent()["top_k"], 40);
  EXPECT_EQ(Sent()["grammar"], "root ::= \"x\"");
}

TEST_F(OpenAiModelTest, OthersAreEstimatedFromAbove) {
  const auto count = (*Open())->CountPrompt(request_);
  ASSERT_TRUE(count);
  EXPECT_FALSE(count->exact);
  EXPECT_GE(count->tokens, 8u);
}

TEST_F(OpenAiModelTest, ToolCallsAreJoinedFromFragments) {
  answers_["/v1/chat/completions"].body =
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c9\",\"function\":"
      "{\"name\":\"search\",\"arguments\":\"{\\\"q\\\":\"}}]}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
      "\"\\\"pump\\\"}\"}}]}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n";
  request_.tools.push_back({"search", "finds", R"({"type":"object"})"});
  request_.tool_choice = {ToolChoice::Mode::kRequired, "search"};
  const auto reply = Generate();
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_EQ(reply->tool_calls.size(), 1u);
  EXPECT_EQ(reply->tool_calls[0].id, "c9");
  EXPECT_EQ(reply->tool_calls[0].arguments, R"({"q":"pump"})");
  EXPECT_EQ(Sent()["tool_choice"]["function"]["name"], "search");
}

TEST_F(OpenAiModelTest, MalformedToolCallsAreRefused) {
  answers_["/v1/chat/completions"].body =
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
      "{\"name\":\"search\",\"arguments\":\"{\\\"q\\\":\"}}]},\"finish_reason\":\"stop\"}]}\n\n";
  EXPECT_THAT(Generate().error().message, HasSubstr("no JSON object"));
  answers_["/v1/chat/completions"].body =
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":4000000000}]}}]}\n\n";
  EXPECT_THAT(Generate().error().message, HasSubstr("more than 128 tool calls"));
}

TEST_F(OpenAiModelTest, LogprobsAreRead) {
  answers_["/v1/chat/completions"].body =
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[{\"token\":"
      "\"a\",\"logprob\":-0.5,\"bytes\":[97],\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-1}]}"
      "]},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";
  request_.sampling.logprobs = true;
  request_.sampling.top_logprobs = 1;
  const auto reply = Generate();
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_EQ(reply->logprobs.size(), 1u);
  EXPECT_EQ(reply->logprobs[0].bytes, "a");
  EXPECT_EQ(reply->logprobs[0].logprob, -0.5f);
  EXPECT_EQ(reply->logprobs[0].top.at(0).bytes, "b");
  EXPECT_EQ(reply->reason, StopReason::kMaxTokens);
}

TEST_F(OpenAiModelTest, AServerThatDoesNotStreamIsReadToo) {
  answers_["/v1/chat/completions"] = {
      .headers = {{"Content-Type", "application/json"}},
      .body = R"({"choices":[{"message":{"content":"Hold it."},"finish_reason":"stop"}]})"};
  const auto reply = Generate();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->text, "Hold it.");
}

TEST_F(OpenAiModelTest, WhatGoesWrongIsTold) {
  answers_["/v1/chat/completions"].body =
      "data: {\"choices\":[{\"delta\":{\"content\":\"Ho\"}}]}\n\n";
  EXPECT_THAT(Generate().error().message, HasSubstr("broke off after 2 bytes"));
  answers_["/v1/chat/completions"] = {.status = 400,
                                      .body = R"({"error":{"message":"context_length_exceeded"}})"};
  EXPECT_THAT(Generate().error().message, HasSubstr("400: context_length_exceeded"));
  answers_["/v1/models"] = {.body = R"({"data":[{"id":"other"}]})"};
  EXPECT_THAT(Open().error().message, HasSubstr("has no model \"m\", but other"));
  answers_["/v1/models"] = {.status = 401, .body = "{}"};
  const auto refused = Open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("no key was sent"));
}

}  // namespace
}  // namespace vade::engine
