#include "qa/mcp/mcp_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/qa/mcp/fake_mcp_tools.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::string kBegin =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}})";
const std::string kPing = R"({"jsonrpc":"2.0","id":2,"method":"ping"})";

std::string HeaderOf(const McpHttpResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

class McpHttpTest : public ::testing::Test {
 protected:
  McpHttpRequest Message(const std::string& body, const std::string& session = "") {
    McpHttpRequest request;
    request.method = "POST";
    request.headers = {{"content-type", "application/json"},
                       {"accept", "application/json, text/event-stream"}};
    if (!session.empty()) request.headers["mcp-session-id"] = session;
    request.body = body;
    return request;
  }
  std::string Begin() { return HeaderOf(http_.Handle(Message(kBegin)), "Mcp-Session-Id"); }
  int Status(const std::string& session) { return http_.Handle(Message(kPing, session)).status; }

  testing::FakeMcpTools tools_;
  std::chrono::steady_clock::time_point now_{};
  McpHttp http_{&tools_, {.max_sessions = 3, .now = [this] { return now_; }}};
};

TEST_F(McpHttpTest, ASessionBeginsAndEnds) {
  const McpHttpResponse first = http_.Handle(Message(kBegin));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(HeaderOf(first, "Content-Type"), "application/json");
  EXPECT_EQ(json::parse(first.body)["result"]["protocolVersion"], "2025-06-18");
  const std::string id = HeaderOf(first, "Mcp-Session-Id");
  EXPECT_EQ(id.size(), 64u);
  EXPECT_NE(id, Begin());
  EXPECT_EQ(Status(id), 200);
  const auto note = Message(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", id);
  EXPECT_EQ(http_.Handle(note).status, 202);
  McpHttpRequest end = Message("", id);
  end.method = "DELETE";
  EXPECT_EQ(http_.Handle(end).status, 204);
  EXPECT_EQ(http_.Handle(end).status, 404);
  EXPECT_EQ(Status(id), 404);
}

TEST_F(McpHttpTest, WhatTheTransportRefuses) {
  EXPECT_EQ(Status(""), 400) << "no session";
  EXPECT_EQ(Status("0123456789abcdef0123456789abcdef"), 404);
  const std::string id = Begin();
  auto request = Message(kPing, id);
  request.headers["mcp-protocol-version"] = "1999-01-01";
  EXPECT_EQ(http_.Handle(request).status, 400);
  request.headers["mcp-protocol-version"] = "2025-06-18";
  EXPECT_EQ(http_.Handle(request).status, 200);
  request.headers["content-type"] = "text/plain";
  EXPECT_EQ(http_.Handle(request).status, 415) << "a cross-site form cannot send JSON";
  request = Message(kPing, id);
  request.headers["accept"] = "text/html";
  EXPECT_EQ(http_.Handle(request).status, 406);
  request.method = "GET";
  const McpHttpResponse get = http_.Handle(request);
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(HeaderOf(get, "Allow"), "POST, DELETE");
  const McpHttpResponse nonsense = http_.Handle(Message("{", id));
  EXPECT_EQ(json::parse(nonsense.body)["error"]["code"], -32700);
  EXPECT_EQ(http_.num_sessions(), 1u) << "refused messages begin none";
}

TEST_F(McpHttpTest, ProgressComesAsAnEventStream) {
  const std::string id = Begin();
  auto request = Message(R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo",)"
                         R"("arguments":{"text":"a\nb"},"_meta":{"progressToken":1}}})",
                         id);
  const McpHttpResponse response = http_.Handle(request);
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "text/event-stream");
  ASSERT_TRUE(response.stream);
  std::string events;
  response.stream([&](std::string_view piece) {
    events += piece;
    return true;
  });
  EXPECT_THAT(events, HasSubstr("event: message\ndata: {"));
  EXPECT_THAT(events, HasSubstr("notifications/progress"));
  EXPECT_THAT(events, HasSubstr(R"("text":"a\nb")"));
  request.headers["accept"] = "application/json";
  EXPECT_FALSE(http_.Handle(request).stream) << "a client that reads JSON only gets JSON";
}

TEST_F(McpHttpTest, AClientThatGoesStopsItsCall) {
  const std::string id = Begin();
  auto request =
      Message(R"({"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"wait"}})", id);
  request.cancel = std::make_shared<CancelToken>();
  std::thread caller([&] { EXPECT_EQ(http_.Handle(request).status, 200); });
  while (tools_.waiting == 0) std::this_thread::yield();
  request.cancel->Cancel();
  caller.join();
  EXPECT_EQ(tools_.cancelled, 1);

  McpHttpRequest end = Message("", id);
  end.method = "DELETE";
  request.cancel = nullptr;
  std::thread second([&] { static_cast<void>(http_.Handle(request)); });
  while (tools_.waiting == 1) std::this_thread::yield();
  EXPECT_EQ(http_.Handle(end).status, 204) << "the end of the session stops it as well";
  second.join();
  EXPECT_EQ(tools_.cancelled, 2);
}

TEST_F(McpHttpTest, AStreamThatIsDroppedLeavesNothingBehind) {
  const std::string id = Begin();
  const auto message =
      R"({"jsonrpc":"2.0","id":5,"method":"ping","params":{"_meta":{"progressToken":1}}})";
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(http_.Handle(Message(message, id)).stream) << i;
  }
}

TEST_F(McpHttpTest, SessionsAreFewAndEndWhenIdle) {
  const std::string first = Begin();
  now_ += std::chrono::minutes(1);
  const std::string second = Begin();
  const std::string third = Begin();
  now_ += std::chrono::minutes(1);
  EXPECT_EQ(Status(first), 200);
  const std::string fourth = Begin();
  EXPECT_EQ(http_.num_sessions(), 3u);
  EXPECT_EQ(Status(first), 200);
  EXPECT_EQ((Status(second) == 404) + (Status(third) == 404), 1) << "the longest unused went";
  now_ += std::chrono::minutes(61);
  EXPECT_EQ(Status(first), 404);
  EXPECT_EQ(Status(fourth), 404);
}

TEST_F(McpHttpTest, ABusySessionIsNotEnded) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([this, id = Begin()] {
      static_cast<void>(http_.Handle(Message(
          R"({"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"wait"}})", id)));
    });
  }
  while (tools_.waiting < 3) std::this_thread::yield();
  now_ += std::chrono::hours(2);
  const McpHttpResponse refused = http_.Handle(Message(kBegin));
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(HeaderOf(refused, "Retry-After").empty());
  http_.CancelAll();
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace vade::qa
