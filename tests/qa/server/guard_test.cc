#include "qa/server/guard.h"

#include <gtest/gtest.h>

namespace vade::qa::server {
namespace {

class GuardTest : public ::testing::Test {
 protected:
  GuardTest() { options_.port = 11435; }

  int Check(const std::string& method, const std::map<std::string, std::string>& headers,
            const std::string& path = "/api/v1/search") {
    request_ = {.method = method, .path = path, .headers = headers};
    request_.headers.try_emplace("host", "localhost:11435");
    const auto refusal = Guard(options_).Check(request_);
    return refusal ? refusal->status : 200;
  }

  GuardOptions options_;
  Request request_;
};

// faults.md 63: DNS rebinding.
TEST_F(GuardTest, OnlyItsOwnNamesAreServed) {
  for (const char* host : {"localhost", "LOCALHOST:11435", "127.0.0.1:11435", "[::1]:11435"}) {
    EXPECT_EQ(Check("GET", {{"host", host}}), 200) << host;
  }
  for (const char* host :
       {"", ":11435", "evil.com", "localhost.evil.com", "localhost:x", "127.0.0.1.evil.com",
        "localhost@evil.com", "[::1", "localhost:1:2", "localhost."}) {
    EXPECT_EQ(Check("GET", {{"host", host}}), 403) << host;
  }
  options_.hosts = {"manuals.lan"};
  EXPECT_EQ(Check("GET", {{"host", "manuals.lan:80"}}), 200);
}

TEST_F(GuardTest, PagesOfOtherSitesAreRefused) {
  EXPECT_EQ(Check("GET", {{"origin", "http://localhost:11435"}}), 200);
  EXPECT_EQ(Check("GET", {{"origin", "http://127.0.0.1:11435"}}), 200);
  for (const char* origin : {"null", "http://evil.com", "http://localhost", "http://localhost:1",
                             "http://localhost:11435.evil.com", "file://", "https://evil.com:11435",
                             "http://localhost:11435@evil.com"}) {
    EXPECT_EQ(Check("GET", {{"origin", origin}}), 403) << origin;
  }
  options_.origins = {"https://notes.example"};
  EXPECT_EQ(Check("GET", {{"origin", "https://notes.example"}}), 200);
}

TEST_F(GuardTest, OnlyJsonChangesAnything) {
  EXPECT_EQ(Check("POST", {{"content-type", "application/json; charset=utf-8"}}), 200);
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "", "application/jsonp", "application/json5"}) {
    EXPECT_EQ(Check("POST", {{"content-type", type}}), 415) << type;
  }
  EXPECT_EQ(Check("POST", {}), 415);
  EXPECT_EQ(Check("DELETE", {}), 200);
  EXPECT_EQ(Check("DELETE", {{"content-type", "text/plain"}}), 415);
  for (const char* method : {"OPTIONS", "PUT", "PATCH", "TRACE", "CONNECT", "get"}) {
    EXPECT_EQ(Check(method, {}), 405) << method;
  }
}

// faults.md 64.
TEST_F(GuardTest, WithKeysEveryRequestNeedsOne) {
  // The SHA-256 of "open sesame, please".
  Sha256 hash;
  const std::string token = "open sesame, please";
  hash.Add(std::as_bytes(std::span(token)));
  options_.keys = {{.name = "ali", .token_sha256 = hash.Finish()}};
  options_.public_paths = {"/", "/healthz"};
  EXPECT_EQ(Check("GET", {{"authorization", "Bearer " + token}}), 200);
  EXPECT_EQ(request_.key, "ali");
  EXPECT_EQ(Check("GET", {{"authorization", "bearer " + token}}), 200);
  std::string text;
  for (const std::string& wrong :
       {std::string(), std::string("Bearer "), "Bearer " + token + " ", std::string("Bearer x"),
        "Basic " + token, "Bearer " + token.substr(1), std::string("Bearer \0", 8)}) {
    EXPECT_EQ(Check("GET", {{"authorization", wrong}}), 401) << wrong;
    const auto refusal = Guard(options_).Check(request_);
    if (text.empty()) text = refusal->message;
    EXPECT_EQ(refusal->message, text);  // nothing says what was wrong
    EXPECT_EQ(refusal->message.find("sesame"), std::string::npos);
  }
  EXPECT_EQ(Check("GET", {}, "/healthz"), 200);
  EXPECT_EQ(Check("POST", {{"content-type", "application/json"}}, "/healthz"), 401);
}

TEST(ConstantTimeEqual, IsEquality) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "ab"));
}

}  // namespace
}  // namespace vade::qa::server
