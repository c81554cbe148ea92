// What goes over the socket comes out as it went in; what is malformed is named.
#include "qa/runner/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace vade::qa {
namespace {

using nlohmann::json;

// As over the socket.
json Wire(const json& message) { return json::parse(message.dump()); }

TEST(Protocol, ARequestSurvives) {
  engine::ModelRequest request;
  request.messages = {{"system", "s"}, {"assistant", "a", {{"1", "f", "{}"}}}};
  request.messages.push_back(
      {.role = "tool", .content = "r", .tool_call_id = "1", .tool_name = "f"});
  request.prompt = "p";
  request.tools = {{"f", "does", R"({"type":"object"})"}};
  request.tool_choice = {engine::ToolChoice::Mode::kRequired, "f"};
  request.format = {engine::OutputFormat::Kind::kGbnf, "root ::= \"x\""};
  request.sampling.temperature = 0.25f;
  request.sampling.seed = std::numeric_limits<uint64_t>::max();
  request.sampling.repeat_last_n = -1;
  request.sampling.logit_bias = {{7, -std::numeric_limits<float>::infinity()}, {8, 1.5f}};
  request.sampling.logprobs = true;
  request.sampling.top_logprobs = 3;
  request.max_tokens = 12;
  request.stop = {"a", "b"};
  request.draft_tokens = 0;
  request.aside = true;
  const auto got = RequestFromJson(Wire(ToJson(request)));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(ToJson(*got), ToJson(request));
  EXPECT_EQ(got->sampling.seed, request.sampling.seed);
  EXPECT_EQ(got->sampling.logit_bias[0].bias, -std::numeric_limits<float>::infinity());
  EXPECT_EQ(got->messages[1].tool_calls[0].name, "f");
  EXPECT_FALSE(RequestFromJson(Wire(ToJson(engine::ModelRequest{})))->prompt.has_value());
}

TEST(Protocol, AReplySurvivesWithHalfCharacters) {
  engine::ModelReply reply;
  reply.text = "t";
  reply.tool_calls = {{"1", "f", "{\"a\":1}"}};
  reply.reason = engine::StopReason::kMaxTokens;
  reply.prompt_tokens = 9;
  reply.seed = 3;
  reply.decode_ms = 1.5;
  reply.logprobs = {{5, "\xE2\x82", -0.5f, {{6, "\xE2", -0.75f}}}};
  reply.token_ids = {5, 7};
  reply.stop_string = "s";
  reply.template_name = "model";
  reply.warnings = {"w"};
  const auto got = ReplyFromJson(Wire(ToJson(reply)));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(ToJson(*got), ToJson(reply));
  EXPECT_EQ(got->token_ids, reply.token_ids);
  EXPECT_EQ(got->logprobs[0].top[0].id, 6);
  EXPECT_EQ(got->logprobs[0].bytes, "\xE2\x82");
}

TEST(Protocol, WhatIsMalformedIsNamed) {
  const auto refused = [](const json& request) {
    const auto got = RequestFromJson(request);
    return got ? std::string("taken") : got.error().message;
  };
  EXPECT_THAT(refused({{"max_tokens", -1}}), ::testing::HasSubstr("max_tokens"));
  EXPECT_THAT(refused({{"max_tokens", "x"}}), ::testing::HasSubstr("max_tokens"));
  EXPECT_THAT(refused({{"tool_mode", 3}}), ::testing::HasSubstr("tool_mode"));
  EXPECT_THAT(refused({{"stop", json::array({1})}}), ::testing::HasSubstr("stop"));
  EXPECT_THAT(refused({{"messages", json::array({5})}}), ::testing::HasSubstr("messages"));
  EXPECT_THAT(refused({{"sampling", {{"top_k", 1e30}}}}), ::testing::HasSubstr("top_k"));
  EXPECT_THAT(refused(json::array()), ::testing::HasSubstr("message"));
  EXPECT_FALSE(ReplyFromJson({{"reason", 99}}));
  EXPECT_FALSE(SetupFromJson({{"kind", 99}}));
  EXPECT_EQ(ErrorFromJson({{"code", 99}}).code, ErrorCode::kInternal);
  EXPECT_EQ(ErrorFromJson(json("x")).code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace vade::qa
