#include "qa/server/openai_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "qa/server/generation.h"

namespace vade::qa::server::openai {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string ErrorOf(const std::string& members) {
  const auto read =
      ReadChatCompletion(json::parse(R"({"model":"m","messages":[{"role":"user","content":"x"}])" +
                                     (members.empty() ? "" : "," + members) + "}"));
  return read ? "" : read.error().message;
}

TEST(ReadChatCompletion, TakesWhatClientsSend) {
  const auto read = ReadChatCompletion(json::parse(R"({
    "model": "m", "stream": true, "stream_options": {"include_usage": true}, "user": "u",
    "messages": [
      {"role": "developer", "content": "be brief"},
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
      {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
        "function": {"name": "f", "arguments": "{\"x\":1}"}}]},
      {"role": "tool", "tool_call_id": "c1", "content": "2"}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "max_tokens": 5, "max_completion_tokens": 7, "temperature": 0, "top_p": 0.5, "seed": 3, "stop": "x",
    "logit_bias": {"5": -100}, "logprobs": true, "top_logprobs": 2, "n": 1, "frequency_penalty": 1,
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}})"));
  ASSERT_TRUE(read) << read.error().message;
  const engine::ModelRequest& request = read->request;
  EXPECT_TRUE(read->stream && read->include_usage);
  ASSERT_EQ(request.messages.size(), 4u);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[1].content, "ab");
  EXPECT_EQ(request.messages[2].tool_calls.at(0).arguments, R"({"x":1})");
  EXPECT_EQ(request.messages[3].tool_call_id, "c1");
  EXPECT_EQ(request.tools.at(0).parameters, R"({"type":"object"})");
  EXPECT_EQ(request.tool_choice.name, "f");
  EXPECT_EQ(request.max_tokens, 7u);
  EXPECT_EQ(request.sampling.temperature, 0);
  EXPECT_EQ(request.sampling.seed, 3u);
  EXPECT_EQ(request.stop, std::vector<std::string>{"x"});
  EXPECT_EQ(request.sampling.logit_bias.at(0).bias, -100);
  EXPECT_EQ(request.sampling.top_logprobs, 2);
  EXPECT_EQ(request.format.kind, engine::OutputFormat::Kind::kJsonSchema);
  EXPECT_EQ(request.format.definition, R"({"type":"object"})");
}

// faults.md 60, 61.
TEST(ReadChatCompletion, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf(""), "");
  for (const auto& [members, word] : std::vector<std::pair<std::string, std::string>>{
           {R"("max_tokens":-1)", "max_tokens"},
           {R"("max_tokens":9223372036854775808)", "max_tokens"},
           {R"("temperature":-1)", "temperature"},
           {R"("temperature":"hot")", "temperature"},
           {R"("top_p":1.5)", "top_p"},
           {R"("top_k":-1)", "top_k"},
           {R"("n":1000000)", "n"},
           {R"("n":2)", "n"},
           {R"("seed":1e300)", "seed"},
           {R"("logit_bias":{"x":1})", "logit_bias"},
           {R"("logit_bias":{"5":1000})", "logit_bias"},
           {R"("top_logprobs":21)", "top_logprobs"},
           {R"("response_format":{"type":"xml"})", "response_format.type"},
           {R"("response_format":{"type":"json_schema"})", "schema"},
           {R"("tools":[{"type":"function"}])", "tools[0].function.name"},
           {R"("tools":[{"type":"retrieval"}])", "tools[0].type"},
           {R"("tool_choice":"maybe")", "tool_choice"},
           {R"("stream":"yes")", "stream"}}) {
    EXPECT_THAT(ErrorOf(members), HasSubstr(word)) << members;
  }
  std::string stops = R"("stop":[)";
  for (int i = 0; i < 100'000; ++i) stops += R"("a",)";
  stops.back() = ']';
  EXPECT_THAT(ErrorOf(stops), HasSubstr("stop"));
  const auto messages = [](const std::string& list) {
    const auto read = ReadChatCompletion(json::parse(R"({"model":"m","messages":)" + list + "}"));
    return read ? "" : read.error().message;
  };
  EXPECT_THAT(messages("[]"), HasSubstr("messages: missing or empty"));
  EXPECT_THAT(messages("5"), HasSubstr("messages"));
  EXPECT_THAT(messages(R"([{"role":"king","content":"x"}])"), HasSubstr("messages[0].role"));
  EXPECT_THAT(messages(R"([{"role":"user","content":5}])"), HasSubstr("messages[0].content"));
  EXPECT_THAT(messages(R"([{"role":"user","content":[{"type":"image_url"}]}])"),
              HasSubstr("only text"));
  EXPECT_THAT(ReadChatCompletion(json::parse(R"({"messages":[]})")).error().message,
              HasSubstr("model"));
}

TEST(ReadCompletion, TakesOnePrompt) {
  EXPECT_EQ(ReadCompletion(json::parse(R"({"model":"m","prompt":["a"]})"))->request.prompt, "a");
  for (const char* body :
       {R"({"model":"m"})", R"({"model":"m","prompt":["a","b"]})", R"({"model":"m","prompt":[1]})",
        R"({"model":"m","prompt":"a","suffix":"b"})",
        R"({"model":"m","prompt":"a","best_of":3})"}) {
    EXPECT_FALSE(ReadCompletion(json::parse(body))) << body;
  }
}

TEST(Base64, IsLittleEndianFloats) {
  const std::array<float, 2> vector = {1.0F, -2.0F};
  EXPECT_EQ(Base64(vector), "AACAPwAAAMA=");
  EXPECT_EQ(Base64(std::span(vector).first(1)), "AACAPw==");
  EXPECT_EQ(Base64({}), "");
}

TEST(Replies, HaveOpenAisShape) {
  engine::ModelReply reply;
  reply.prompt_tokens = 10;
  reply.reused_tokens = 4;
  reply.completion_tokens = 2;
  reply.logprobs = {{.bytes = "\xED\x95", .logprob = -1, .top = {{.bytes = "a", .logprob = -2}}}};
  EXPECT_EQ(FinishReason(reply), "stop");
  EXPECT_EQ(Usage(reply)["total_tokens"], 12);
  EXPECT_EQ(Timings(reply)["prompt_n"], 6);
  const json logprobs = Logprobs(reply);
  EXPECT_EQ(logprobs["content"][0]["token"], "\xEF\xBF\xBD");  // half a character
  EXPECT_EQ(logprobs["content"][0]["bytes"], json({0xED, 0x95}));
  EXPECT_EQ(logprobs["content"][0]["top_logprobs"][0]["token"], "a");
  reply.reason = engine::StopReason::kMaxTokens;
  EXPECT_EQ(FinishReason(reply), "length");
  reply.tool_calls = {{"c", "f", "{}"}};
  EXPECT_EQ(FinishReason(reply), "tool_calls");
  EXPECT_EQ(ToolCalls(reply.tool_calls, true)[0]["index"], 0);
  EXPECT_EQ(ToolCalls(reply.tool_calls, false)[0]["function"]["arguments"], "{}");
}

}  // namespace
}  // namespace vade::qa::server::openai
