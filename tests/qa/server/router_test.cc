#include "qa/server/router.h"

#include <gtest/gtest.h>

#include "qa/server/target.h"

namespace vade::qa::server {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    for (const char* pattern : {"/", "/a", "/a/{id}", "/a/{id}/b/{n}", "/files/{rest...}"}) {
      router_.Add("GET", pattern, {});
    }
    router_.Add("POST", "/a", {});
  }
  std::string Find(const std::string& method, const std::string& path) {
    request_ = {.method = method, .path = path};
    const Router::Match match = router_.Find(request_);
    if (match.route != nullptr) return match.route->method + " " + match.route->pattern;
    return match.path_known ? "method" : "none";
  }
  Router router_;
  Request request_;
};

TEST_F(RouterTest, FindsTheRouteAndItsParameters) {
  EXPECT_EQ(Find("GET", "/"), "GET /");
  EXPECT_EQ(Find("GET", "/a"), "GET /a");
  EXPECT_EQ(Find("POST", "/a"), "POST /a");
  EXPECT_EQ(Find("HEAD", "/a"), "GET /a");
  EXPECT_EQ(Find("DELETE", "/a"), "method");
  EXPECT_EQ(Find("GET", "/a/5/b/7"), "GET /a/{id}/b/{n}");
  EXPECT_EQ(request_.params.at("id"), "5");
  EXPECT_EQ(request_.params.at("n"), "7");
  EXPECT_EQ(Find("GET", "/files/x/y.z"), "GET /files/{rest...}");
  EXPECT_EQ(request_.params.at("rest"), "x/y.z");
}

TEST_F(RouterTest, NothingElseMatches) {
  for (const char* path :
       {"/b", "/a/", "/a//b/7", "/a/5/b", "/a/5/b/7/", "//a", "/files", "/files/", ""}) {
    EXPECT_EQ(Find("GET", path), "none") << path;
  }
}

// faults.md 65.
TEST(DecodeTarget, RefusesWhatCouldBeReadInTwoWays) {
  std::string path;
  std::map<std::string, std::string> query;
  EXPECT_TRUE(DecodeTarget("/a%20b?q=%ED%95%9C+x&empty=&q2", path, query));
  EXPECT_EQ(path, "/a b");
  EXPECT_EQ(query["q"], "한 x");
  EXPECT_EQ(query["empty"], "");
  for (const char* target :
       {"", "*", "http://x/", "//x/../y", "/..", "/a/../b", "/%2e%2e/x", "/a%2fb", "/a%00", "/%",
        "/%4", "/%zz", "/a\\b", "/%5c", "/\xff", "/.", "/x?a=%00"}) {
    EXPECT_FALSE(DecodeTarget(target, path, query)) << target;
  }
}

}  // namespace
}  // namespace vade::qa::server
