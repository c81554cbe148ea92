#include "qa/mcp/mcp_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/qa/mcp/fake_mcp_tools.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class McpSessionTest : public ::testing::Test {
 protected:
  json Send(const std::string& message) {
    const auto reply = session_.Handle(message, [&](const std::string& note) {
      notes_.push_back(json::parse(note));
      return true;
    });
    return reply ? json::parse(*reply) : json();
  }
  json Send(const json& message) { return Send(message.dump()); }
  json Call(const std::string& method, const json& params = json::object()) {
    return Send({{"jsonrpc", "2.0"}, {"id", ++id_}, {"method", method}, {"params", params}});
  }
  json Begin(const std::string& version = "2025-06-18") {
    return Call("initialize", {{"protocolVersion", version},
                               {"capabilities", json::object()},
                               {"clientInfo", {{"name", "test"}, {"version", "1"}}}});
  }
  int CodeOf(const json& reply) { return reply.value("/error/code"_json_pointer, 0); }

  testing::FakeMcpTools tools_;
  McpSession session_{&tools_};
  std::vector<json> notes_;
  int id_ = 0;
};

TEST_F(McpSessionTest, VersionsAreNegotiated) {
  const json reply = Begin();
  EXPECT_EQ(reply["result"]["protocolVersion"], "2025-06-18");
  EXPECT_EQ(reply["result"]["serverInfo"]["name"], "vade");
  EXPECT_TRUE(reply["result"]["capabilities"].contains("tools"));
  EXPECT_EQ(CodeOf(Begin()), -32602) << "only once";
  for (const char* version : {"2025-03-26", "2024-11-05"}) {
    McpSession other(&tools_);
    const auto text = other.Handle(
        R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":")" +
        std::string(version) + "\"}}");
    EXPECT_EQ(json::parse(*text)["result"]["protocolVersion"], version);
  }
  McpSession future(&tools_);
  const auto text = future.Handle(
      R"({"jsonrpc":"2.0","id":"x","method":"initialize","params":{"protocolVersion":"2099-01-01"}})");
  EXPECT_EQ(json::parse(*text)["result"]["protocolVersion"], "2025-06-18");
  EXPECT_EQ(json::parse(*text)["id"], "x");
}

TEST_F(McpSessionTest, OnlyPingGoesBeforeInitialize) {
  EXPECT_EQ(Call("ping")["result"], json::object());
  EXPECT_EQ(CodeOf(Call("tools/list")), -32602);
  Begin();
  EXPECT_TRUE(Call("tools/list").contains("result"));
}

TEST_F(McpSessionTest, ToolsAreListedAsTheVersionKnowsThem) {
  Begin();
  const json tool = Call("tools/list")["result"]["tools"][0];
  EXPECT_EQ(tool["name"], "echo");
  EXPECT_EQ(tool["annotations"]["readOnlyHint"], true);
  EXPECT_TRUE(tool.contains("outputSchema"));
  McpSession old(&tools_);
  const std::string begin =
      R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05"}})";
  static_cast<void>(old.Handle(begin));
  const auto list = old.Handle(R"({"jsonrpc":"2.0","id":2,"method":"tools/list"})");
  EXPECT_FALSE(json::parse(*list)["result"]["tools"][0].contains("outputSchema"));
}

TEST_F(McpSessionTest, ACallGivesTextAndStructure) {
  Begin();
  const json result = Call("tools/call", {{"name", "echo"}, {"arguments", {{"text", "hi"}}}});
  EXPECT_EQ(result["result"]["content"][0]["text"], "hi");
  EXPECT_EQ(result["result"]["structuredContent"]["text"], "hi");
  EXPECT_EQ(result["result"]["isError"], false);
  EXPECT_TRUE(notes_.empty()) << "no progress token, no progress";
  const json failed = Call("tools/call", {{"name", "echo"}, {"arguments", {{"text", "fail"}}}});
  EXPECT_EQ(failed["result"]["isError"], true);
  EXPECT_EQ(failed["result"]["content"][0]["text"], "broken \uFFFD");
}

TEST_F(McpSessionTest, ProgressGrows) {
  Begin();
  Call("tools/call",
       {{"name", "echo"}, {"arguments", {{"text", "hi"}}}, {"_meta", {{"progressToken", "t1"}}}});
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[0]["method"], "notifications/progress");
  EXPECT_EQ(notes_[0]["params"]["progressToken"], "t1");
  EXPECT_EQ(notes_[1]["params"]["progress"], 2.0);
  EXPECT_EQ(notes_[1]["params"]["total"], 2.0);
}

TEST_F(McpSessionTest, WrongCallsAreErrors) {
  Begin();
  EXPECT_EQ(CodeOf(Call("tools/call", {{"name", "rm"}})), -32602);
  EXPECT_EQ(CodeOf(Call("tools/call", {{"name", 7}})), -32602);
  EXPECT_EQ(CodeOf(Call("tools/call")), -32602);
  const json wrong = Call("tools/call", {{"name", "echo"}, {"arguments", {{"text", 1}}}});
  EXPECT_EQ(CodeOf(wrong), -32602);
  EXPECT_THAT(wrong["error"]["message"].get<std::string>(), HasSubstr("arguments.text: got 1"));
  EXPECT_EQ(CodeOf(Call("tools/call", {{"name", "echo"}, {"arguments", "text"}})), -32602);
  EXPECT_EQ(CodeOf(Call("prompts/list")), -32601);
  EXPECT_EQ(CodeOf(Call("resources/read", {{"uri", "test://2"}})), -32002);
  EXPECT_EQ(CodeOf(Call("resources/read")), -32602);
  EXPECT_EQ(CodeOf(Call("resources/list", {{"cursor", "-1"}})), -32602);
}

TEST_F(McpSessionTest, MalformedMessagesAreErrors) {
  Begin();
  EXPECT_EQ(CodeOf(Send(std::string("{nonsense"))), -32700);
  EXPECT_EQ(CodeOf(Send(std::string(""))), -32700);
  EXPECT_EQ(CodeOf(Send(std::string("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}"))),
            -32700);
  EXPECT_EQ(CodeOf(Send(std::string(200'000, '['))), -32700) << "nested too deeply";
  EXPECT_EQ(CodeOf(Send(std::string(kMaxMcpMessageBytes + 1, ' '))), -32600);
  EXPECT_EQ(CodeOf(Send(std::string("7"))), -32600);
  EXPECT_EQ(CodeOf(Send(json{{"id", 1}, {"method", "ping"}})), -32600) << "no jsonrpc";
  EXPECT_EQ(CodeOf(Send(json{{"jsonrpc", "2.0"}, {"id", nullptr}, {"method", "ping"}})), -32600);
  EXPECT_EQ(CodeOf(Send(json{{"jsonrpc", "2.0"}, {"id", {1}}, {"method", "ping"}})), -32600);
  EXPECT_EQ(CodeOf(Send(json{{"jsonrpc", "2.0"}, {"id", 1.5}, {"method", "ping"}})), -32600);
  EXPECT_EQ(CodeOf(Send(json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", 5}})), -32600);
  EXPECT_EQ(CodeOf(Send(json{{"jsonrpc", "2.0"}, {"id", 1}})), -32600);
  EXPECT_EQ(CodeOf(Send(json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "ping"}, {"params", 3}})),
            -32602);
  EXPECT_TRUE(Send(json{{"jsonrpc", "2.0"}, {"method", "notifications/unheard/of"}}).is_null());
  EXPECT_TRUE(Send(json{{"jsonrpc", "2.0"}, {"id", 9}, {"result", 1}}).is_null())
      << "responses are not answered";
  EXPECT_EQ(session_.num_running(), 0u);
}

TEST_F(McpSessionTest, BatchesBelongToTheOlderVersions) {
  Begin("2025-03-26");
  const json ping = {{"jsonrpc", "2.0"}, {"id", 100}, {"method", "ping"}};
  json other = ping;
  other["id"] = 101;
  const json note = {{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}};
  const json replies = Send(json::array({ping, note, other}));
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[1]["id"], 101);
  EXPECT_TRUE(Send(json::array({note})).is_null());
  EXPECT_EQ(CodeOf(Send(json::array())), -32600);
  EXPECT_EQ(CodeOf(Send(json(std::vector<json>(100, ping)))), -32600);
  McpSession newest(&tools_);
  static_cast<void>(newest.Handle(
      R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}})"));
  EXPECT_EQ(json::parse(*newest.Handle(json::array({ping}).dump()))["error"]["code"], -32600);
}

TEST_F(McpSessionTest, ACancelledRequestIsNotAnswered) {
  Begin();
  std::optional<std::string> reply = "not yet";
  std::thread caller([&] {
    reply = session_.Handle(
        R"({"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait"}})");
  });
  while (tools_.waiting == 0) std::this_thread::yield();
  EXPECT_EQ(CodeOf(Send(json{{"jsonrpc", "2.0"}, {"id", "w"}, {"method", "ping"}})), -32600)
      << "the id is in use";
  EXPECT_TRUE(Call("ping").contains("result")) << "others go on beside it";
  Send(json{{"jsonrpc", "2.0"},
            {"method", "notifications/cancelled"},
            {"params", {{"requestId", "unknown"}}}});
  Send(json{
      {"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", "w"}}}});
  caller.join();
  EXPECT_EQ(reply, std::nullopt);
  EXPECT_EQ(session_.num_running(), 0u);
}

TEST_F(McpSessionTest, ACancellationFindsWhatHasNotBegun) {
  Begin();
  const McpWork work =
      session_.Read(R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"wait"}})");
  EXPECT_FALSE(work.is_quick);
  Send(json{
      {"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 5}}}});
  EXPECT_EQ(work.run({}), std::nullopt);
}

TEST_F(McpSessionTest, RunningRequestsAreCounted) {
  Begin();
  std::vector<McpWork> works;
  for (size_t i = 0; i < kMaxMcpRunning; ++i) {
    works.push_back(session_.Read(json{{"jsonrpc", "2.0"}, {"id", i}, {"method", "ping"}}.dump()));
  }
  EXPECT_THAT(Call("ping")["error"]["message"].get<std::string>(), HasSubstr("are running"));
  works.clear();
  EXPECT_TRUE(Call("ping").contains("result")) << "work that is dropped gives its place back";
}

TEST_F(McpSessionTest, ResourcesComeInPages) {
  Begin();
  std::vector<size_t> sizes;
  json params = json::object();
  for (;;) {
    const json result = Call("resources/list", params)["result"];
    sizes.push_back(result["resources"].size());
    if (!result.contains("nextCursor")) break;
    params["cursor"] = result["nextCursor"];
  }
  EXPECT_THAT(sizes, ElementsAre(100u, 100u, 50u));
  EXPECT_EQ(Call("resources/read", {{"uri", "test://1"}})["result"]["contents"][0]["text"], "one");
}

TEST_F(McpSessionTest, MutatedMessagesNeverBreakIt) {
  Begin("2025-03-26");
  const std::string seeds[] = {
      R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hi"},"_meta":{"progressToken":1}}})",
      R"([{"jsonrpc":"2.0","id":8,"method":"resources/list","params":{"cursor":"3"}},{"jsonrpc":"2.0","id":9,"method":"ping"}])",
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"x"}})",
      R"({"jsonrpc":"2.0","id":"é","method":"resources/read","params":{"uri":"test://1"}})"};
  const std::string_view pieces[] = {"null", "[]", "{}",      "\"",  "1e999",
                                     "-0",   "[[", "\\u0000", "\xff"};
  std::mt19937 random(20260821);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (int i = 0; i < 20'000; ++i) {
    std::string message = seeds[below(std::size(seeds))];
    for (size_t edits = 1 + below(3); edits > 0; --edits) {
      const size_t at = below(message.size());
      const size_t length = below(12);
      if (below(2) == 0) {
        message.replace(at, length, pieces[below(std::size(pieces))]);
      } else {
        message[at] = static_cast<char>(below(256));
      }
    }
    if (message.find("wait") != std::string::npos) continue;
    const auto reply = session_.Handle(message, [](const std::string& note) {
      EXPECT_TRUE(json::accept(note));
      return true;
    });
    if (reply) {
      ASSERT_TRUE(json::accept(*reply)) << message;
    }
    ASSERT_EQ(session_.num_running(), 0u) << message;
  }
}

}  // namespace
}  // namespace vade::qa
