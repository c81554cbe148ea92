// ApiClient against servers that misbehave as real ones do.
#include "engine/remote/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/http_server.h"

namespace vade::remote {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpServer;
using ::testing::Not;
using testing::ServedAnswer;
using testing::ServedRequest;

// A million times "a" in a few kilobytes.
std::string GzipBomb();

class ApiClientTest : public ::testing::Test {
 protected:
  ApiServer Server(const std::string& url) {
    ApiServer server{.kind = ServerKind::kOpenAi, .base_url = url, .key = "sk-secret"};
    server.limits.body_bytes = 100'000;
    server.limits.stream_bytes = 100'000;
    server.limits.line_bytes = 10'000;
    server.wait = [this](milliseconds time, const CancelToken* cancel) {
      waits_.push_back(time.count());
      return cancel == nullptr || !cancel->cancelled();
    };
    return server;
  }
  std::string Post(const std::string& url) {
    ApiClient client(Server(url));
    const auto answer = client.Post("/x", {{"a", 1}});
    return answer ? answer->dump() : "error: " + answer.error().message;
  }
  std::string Stream(const std::string& url, size_t stop_after = 99) {
    ApiClient client(Server(url));
    size_t events = 0;
    const auto ended = client.Stream("/x", json::object(), [&](const json& event) -> Result<bool> {
      seen_.push_back(event.dump());
      return ++events < stop_after;
    });
    return ended ? (*ended ? "ended" : "stopped") : "error: " + ended.error().message;
  }

  std::vector<int64_t> waits_;
  std::vector<std::string> seen_;
};

TEST_F(ApiClientTest, JsonGoesAndComes) {
  HttpServer server([](const ServedRequest& request) {
    return ServedAnswer{.body = request.method + " " + request.body == "POST {\"a\":1}"
                                    ? "{\"ok\":true}"
                                    : "{\"error\":\"got " + request.method + "\"}"};
  });
  EXPECT_EQ(Post(server.url()), "{\"ok\":true}");
  EXPECT_EQ(server.requests()[0].Header("authorization"), "Bearer sk-secret");
  EXPECT_EQ(server.requests()[0].Header("content-type"), "application/json");
}

TEST_F(ApiClientTest, NobodyThereIsToldAfterSomeTries) {
  std::string url;
  {
    HttpServer server([](const ServedRequest&) { return ServedAnswer{}; });
    url = server.url();
  }
  const std::string told = Post(url);
  EXPECT_THAT(told, HasSubstr(url));
  EXPECT_THAT(told, HasSubstr("is the server running there?"));
  EXPECT_EQ(waits_.size(), 3u);
  EXPECT_GT(waits_[2], waits_[0]) << "later and later";
}

TEST_F(ApiClientTest, StatusesAreExplained) {
  int status = 401;
  HttpServer server([&](const ServedRequest&) {
    return ServedAnswer{.status = status,
                        .body = R"({"error":{"message":"no sk-secret \u001b[31m"}})"};
  });
  const std::string refused = Post(server.url());
  EXPECT_THAT(refused, HasSubstr("401: no *** \\x1b[31m; the server does not take this key"));
  EXPECT_THAT(refused, Not(HasSubstr("sk-secret")));
  status = 500;
  EXPECT_THAT(Stream(server.url()), HasSubstr("500: no ***"));
  status = 404;
  ApiClient client(Server(server.url()));
  EXPECT_EQ(client.Get("/x").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(waits_.empty()) << "none of these gets better by waiting";
}

TEST_F(ApiClientTest, BusyServersAreAskedAgainWhenTheySay) {
  int count = 0;
  HttpServer server([&](const ServedRequest&) {
    if (++count == 1) return ServedAnswer{.status = 429, .headers = {{"Retry-After", "7"}}};
    if (count == 2) return ServedAnswer{.status = 503};
    return ServedAnswer{.body = "{}"};
  });
  EXPECT_EQ(Post(server.url()), "{}");
  ASSERT_EQ(waits_.size(), 2u);
  EXPECT_EQ(waits_[0], 7000);
  EXPECT_NEAR(static_cast<double>(waits_[1]), 1000, 251);
}

TEST_F(ApiClientTest, ALongRetryAfterIsNotWaitedFor) {
  HttpServer server([&](const ServedRequest&) {
    return ServedAnswer{.status = 429, .headers = {{"Retry-After", "3600"}}, .body = "{}"};
  });
  EXPECT_THAT(Post(server.url()), HasSubstr("429"));
  EXPECT_TRUE(waits_.empty());
}

TEST_F(ApiClientTest, AServerThatHangsIsLeft) {
  HttpServer server([](const ServedRequest&) { return ServedAnswer{.hang = true}; });
  ApiServer settings = Server(server.url());
  settings.limits.idle = milliseconds(60);
  ApiClient client(settings);
  const auto answer = client.Post("/x", {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("Timeout was reached"));
}

TEST_F(ApiClientTest, AServerThatDripsIsLeftToo) {
  HttpServer server([](const ServedRequest&) {
    return ServedAnswer{.body = std::string(1000, ' '), .piece_bytes = 1, .pause = milliseconds(5)};
  });
  ApiServer settings = Server(server.url());
  settings.limits.total = milliseconds(80);
  ApiClient client(settings);
  const auto answer = client.Post("/x", {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("Timeout was reached"));
}

TEST_F(ApiClientTest, ACancelledRequestEndsSoon) {
  HttpServer server([](const ServedRequest&) { return ServedAnswer{.hang = true}; });
  ApiClient client(Server(server.url()));
  CancelToken cancel;
  std::thread other([&] {
    while (server.requests().empty()) std::this_thread::yield();
    cancel.Cancel();
  });
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = client.Stream(
      "/x", {}, [](const json&) { return true; }, &cancel);
  other.join();
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
}

TEST_F(ApiClientTest, AWebPageIsNoApi) {
  HttpServer server([](const ServedRequest&) {
    return ServedAnswer{.headers = {{"Content-Type", "text/html; charset=utf-8"}},
                        .body = "<html>router login</html>"};
  });
  EXPECT_THAT(Post(server.url()), HasSubstr("a web page, not JSON: is this the right address?"));
  EXPECT_THAT(Stream(server.url()), HasSubstr("web page"));
}

TEST_F(ApiClientTest, LargeAnswersAreRefused) {
  HttpServer server([](const ServedRequest&) {
    return ServedAnswer{.body = "\"" + std::string(200'000, 'a') + "\""};
  });
  EXPECT_THAT(Post(server.url()), HasSubstr("more than 100000 bytes"));
  EXPECT_THAT(Stream(server.url()), HasSubstr("more than 10000 bytes"));
}

TEST_F(ApiClientTest, SoAreThoseThatGrowWhenUnpacked) {
  const std::string bomb = GzipBomb();
  ASSERT_LT(bomb.size(), 10'000u);
  HttpServer server([&](const ServedRequest&) {
    return ServedAnswer{.headers = {{"Content-Encoding", "gzip"}}, .body = bomb};
  });
  EXPECT_THAT(Post(server.url()), HasSubstr("more than 100000 bytes"));
  EXPECT_THAT(Stream(server.url()), HasSubstr("more than 10000 bytes"));
}

TEST_F(ApiClientTest, AStreamMayBreakOff) {
  HttpServer server([](const ServedRequest&) {
    return ServedAnswer{.body = "{\"a\":1}\n{\"b\":2}\n", .cut_after = 10};
  });
  EXPECT_THAT(Stream(server.url()), HasSubstr("error: "));
  EXPECT_THAT(seen_, ElementsAre("{\"a\":1}")) << "and is not asked for again";
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(ApiClientTest, AnErrorInAStreamEndsIt) {
  HttpServer server([](const ServedRequest&) {
    return ServedAnswer{.body = "{\"a\":1}\n{\"error\":\"out of memory\"}\n{\"b\":2}\n"};
  });
  EXPECT_THAT(Stream(server.url()), HasSubstr("the server broke off: out of memory"));
  EXPECT_THAT(seen_, ElementsAre("{\"a\":1}"));
}

TEST_F(ApiClientTest, TheSinkEndsAStream) {
  HttpServer server([](const ServedRequest&) {
    return ServedAnswer{.body = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"};
  });
  EXPECT_EQ(Stream(server.url(), 2), "stopped");
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(ApiClientTest, ARedirectIsNotFollowedAndTheKeyStays) {
  HttpServer thief([](const ServedRequest&) { return ServedAnswer{.body = "{}"}; });
  HttpServer server([&](const ServedRequest&) {
    return ServedAnswer{.status = 307, .headers = {{"Location", thief.url() + "/x"}}};
  });
  EXPECT_THAT(Post(server.url()), HasSubstr("redirects to " + thief.url()));
  EXPECT_THAT(Stream(server.url()), HasSubstr("is not followed"));
  EXPECT_TRUE(thief.requests().empty());
}

// Written by hand, to need no library: RFC 1951, section 3.2.6.
std::string GzipBomb() {
  // A literal, then matches of 258 bytes at distance 1.
  std::string out("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03", 10);
  uint32_t bits = 0;
  int count = 0;
  const auto put = [&](uint32_t value, int length) {  // least significant bit first
    bits |= value << count;
    for (count += length; count >= 8; count -= 8, bits >>= 8) out += static_cast<char>(bits & 255);
  };
  const auto code = [&](uint32_t value, int length) {  // codes go most significant bit first
    for (int bit = length - 1; bit >= 0; --bit) put(value >> bit & 1, 1);
  };
  put(1, 1);            // last block
  put(1, 2);            // fixed codes
  code(0x30 + 'a', 8);  // literal
  for (int i = 0; i < 4000; ++i) {
    code(0xC0 + 285 - 280, 8);  // length 258
    code(0, 5);                 // distance 1
  }
  code(0, 7);  // end of block
  put(0, 7);
  return out + std::string(8, '\0');  // checksum and length come too late to matter
}

}  // namespace
}  // namespace vade::remote
