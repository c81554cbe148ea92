// OllamaModel against a server that says what Ollama says.
#include "engine/ollama_model.h"

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

constexpr const char* kShown =
    R"({"model_info":{"general.architecture":"llama","llama.context_length":4096},)"
    R"("capabilities":["completion","tools","thinking"]})";
constexpr const char* kChat =
    "{\"message\":{\"role\":\"assistant\",\"content\":\"Hold \"},\"done\":false}\n"
    "{\"message\":{\"role\":\"assistant\",\"content\":\"it.\"},\"done\":false}\n"
    "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\","
    "\"prompt_eval_count\":12,\"eval_count\":3,\"prompt_eval_duration\":2000000,"
    "\"eval_duration\":3000000,\"load_duration\":1000000}\n";

class OllamaModelTest : public ::testing::Test {
 protected:
  std::unique_ptr<OllamaModel> Open(size_t context_length = 0) {
    auto model =
        OllamaModel::Open({.base_url = server_.url()}, "m:1b", {.context_length = context_length});
    EXPECT_TRUE(model) << model.error().message;
    return model ? *std::move(model) : nullptr;
  }
  Result<ModelReply> Generate(const ModelRequest& request) {
    return Open()->Generate(request, [this](std::string_view text) {
      streamed_.emplace_back(text);
      return streamed_.size() < stop_after_;
    });
  }
  json Sent() { return json::parse(server_.requests().back().body); }

  ServedAnswer chat_{.body = kChat};
  ServedAnswer show_{.body = kShown};
  HttpServer server_{[this](const ServedRequest& request) {
    return request.target == "/api/show" ? show_ : chat_;
  }};
  ModelRequest request_{.messages = {{"system", "Be brief."}, {"user", "How do I reset it?"}}};
  std::vector<std::string> streamed_;
  size_t stop_after_ = 99;
};

TEST_F(OllamaModelTest, AReplyComesInPiecesWithItsCounts) {
  const auto reply = Generate(request_);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->text, "Hold it.");
  EXPECT_THAT(streamed_, ElementsAre("Hold ", "it."));
  EXPECT_EQ(reply->prompt_tokens, 12u);
  EXPECT_EQ(reply->completion_tokens, 3u);
  EXPECT_EQ(reply->prefill_ms, 2.0);
  EXPECT_EQ(reply->decode_ms, 3.0);
  EXPECT_EQ(reply->reason, StopReason::kEnd);
}

TEST_F(OllamaModelTest, TheContextIsAlwaysSaid) {
  EXPECT_EQ(Open()->context_length(), 4096u) << "the model's";
  EXPECT_EQ(Open(1000)->context_length(), 1000u);
  request_.sampling.temperature = 0;
  request_.sampling.seed = 7;
  request_.max_tokens = 20;
  request_.stop = {"\n"};
  ASSERT_TRUE(Generate(request_));
  const json sent = Sent();
  EXPECT_EQ(sent["model"], "m:1b");
  EXPECT_EQ(sent["options"]["num_ctx"], 4096);
  EXPECT_EQ(sent["options"]["num_predict"], 20);
  EXPECT_EQ(sent["options"]["seed"], 7);
  EXPECT_EQ(sent["options"]["stop"], json({"\n"}));
  EXPECT_EQ(sent["truncate"], false);
  EXPECT_EQ(sent["think"], false) << "its thoughts would use up the answer's room";
  EXPECT_EQ(sent["messages"][1]["content"], "How do I reset it?");
  const auto long_one =
      OllamaModel::Open({.base_url = server_.url()}, "m", {.context_length = 5000});
  EXPECT_THAT(long_one.error().message, HasSubstr("5000 tokens: the model has 4096"));
}

TEST_F(OllamaModelTest, ALongPromptIsRefusedUnsent) {
  request_.messages[1].content = std::string(40'000, '!');
  const auto model = Open();
  const size_t before = server_.requests().size();
  const auto reply = model->Generate(request_, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(server_.requests().size(), before);
}

TEST_F(OllamaModelTest, ACutPromptIsFound) {
  request_.messages[1].content = "one two three four five six seven eight nine ten eleven twelve";
  const auto reply = Generate(request_);
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("the server read only 12 of at least 14 tokens"));
}

TEST_F(OllamaModelTest, ToolsAreCalled) {
  chat_.body =
      "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"search\","
      "\"arguments\":{\"query\":\"pump\"}}}]},\"done\":false}\n"
      "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n";
  request_.tools.push_back({"search", "finds", R"({"type":"object"})"});
  request_.messages.push_back({"assistant", "", {{"c1", "search", R"({"query":"x"})"}}});
  request_.messages.push_back({"tool", "nothing", {}, "c1", "search"});
  const auto reply = Generate(request_);
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_EQ(reply->tool_calls.size(), 1u);
  EXPECT_EQ(reply->tool_calls[0].name, "search");
  EXPECT_EQ(reply->tool_calls[0].arguments, R"({"query":"pump"})");
  EXPECT_EQ(reply->tool_calls[0].id, "call_1");
  const json sent = Sent();
  EXPECT_EQ(sent["tools"][0]["function"]["name"], "search");
  EXPECT_EQ(sent["messages"][2]["tool_calls"][0]["function"]["arguments"]["query"], "x")
      << "an object, not a string";
  EXPECT_EQ(sent["messages"][3]["tool_name"], "search");
  request_.tool_choice.mode = ToolChoice::Mode::kRequired;
  EXPECT_EQ(Generate(request_).error().code, ErrorCode::kUnsupported);
}

TEST_F(OllamaModelTest, FormatsAndRawPromptsAreSent) {
  request_.format = {OutputFormat::Kind::kJsonSchema, R"({"type":"object"})"};
  ASSERT_TRUE(Generate(request_));
  EXPECT_EQ(Sent()["format"]["type"], "object");
  request_.format = {OutputFormat::Kind::kGbnf, "root ::= \"x\""};
  EXPECT_EQ(Generate(request_).error().code, ErrorCode::kUnsupported);
  chat_.body = "{\"response\":\"on\",\"done\":true,\"done_reason\":\"length\"}\n";
  const auto reply = Generate({.prompt = "Once up"});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->text, "on");
  EXPECT_EQ(reply->reason, StopReason::kMaxTokens);
  EXPECT_EQ(server_.requests().back().target, "/api/generate");
  EXPECT_EQ(Sent()["raw"], true);
}

TEST_F(OllamaModelTest, TheCallerEndsIt) {
  stop_after_ = 1;
  const auto reply = Generate(request_);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->reason, StopReason::kCaller);
  EXPECT_EQ(reply->text, "Hold ");
}

TEST_F(OllamaModelTest, ACancelledReplyGivesWhatItHad) {
  chat_.piece_bytes = std::string_view(kChat).find('\n') + 1;
  chat_.pause = std::chrono::milliseconds(100);
  CancelToken cancel;
  const auto reply = Open()->Generate(
      request_,
      [&](std::string_view) {
        cancel.Cancel();
        return true;
      },
      &cancel);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->reason, StopReason::kCancelled);
  EXPECT_EQ(reply->text, "Hold ");
}

TEST_F(OllamaModelTest, WhatGoesWrongIsTold) {
  chat_.cut_after = 70;
  EXPECT_EQ(Generate(request_).error().code, ErrorCode::kUnavailable);
  chat_ = {.body = "{\"message\":{\"content\":\"Hold\"},\"done\":false}\n"};
  EXPECT_THAT(Generate(request_).error().message, HasSubstr("broke off after 4 bytes"));
  chat_ = {.body = "{\"error\":\"model runner has stopped\"}\n"};
  EXPECT_THAT(Generate(request_).error().message, HasSubstr("model runner has stopped"));
  show_ = {.status = 404, .body = R"({"error":"model 'm' not found"})"};
  const auto missing = OllamaModel::Open({.base_url = server_.url()}, "m:1b", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("run `ollama pull m:1b`"));
}

}  // namespace
}  // namespace vade::engine
