// RemoteReranker: both shapes of answers, and wrong ones.
#include "retriever/remote_reranker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_server.h"

namespace vade::retriever {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServedAnswer;
using testing::ServedRequest;

class RemoteRerankerTest : public ::testing::Test {
 protected:
  Result<std::vector<float>> Score() {
    RemoteReranker reranker({.kind = remote::ServerKind::kOpenAi, .base_url = server_.url()}, "m");
    const std::vector<std::string_view> passages = {"a", "b"};
    return reranker.Score("q", passages, nullptr);
  }
  std::string ErrorFor(const std::string& body) {
    answer_.body = body;
    const auto scores = Score();
    return scores ? "none" : scores.error().message;
  }

  ServedAnswer answer_;
  HttpServer server_{[this](const ServedRequest&) { return answer_; }};
};

TEST_F(RemoteRerankerTest, BothShapesAreRead) {
  answer_.body =
      R"({"results":[{"index":1,"relevance_score":2.5},{"index":0,"relevance_score":-1}]})";
  auto scores = Score();
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_THAT(*scores, ElementsAre(-1, 2.5));
  answer_.body = R"([{"index":1,"score":0.75},{"index":0,"score":0.5,"text":"a"}])";
  scores = Score();
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_THAT(*scores, ElementsAre(0.5, 0.75));
  const auto sent = nlohmann::json::parse(server_.requests()[0].body);
  EXPECT_EQ(sent["query"], "q");
  EXPECT_EQ(sent["documents"], sent["texts"]);
}

TEST_F(RemoteRerankerTest, WrongAnswersAreFound) {
  EXPECT_THAT(ErrorFor(R"([{"index":0,"score":1}])"), HasSubstr("got 1 scores for 2"));
  EXPECT_THAT(ErrorFor(R"([{"index":0,"score":1},{"index":0,"score":1}])"), HasSubstr("index"));
  EXPECT_THAT(ErrorFor(R"([{"index":0,"score":1},{"index":2,"score":1}])"), HasSubstr("index"));
  EXPECT_THAT(ErrorFor(R"([{"index":0,"score":1},{"index":1,"score":null}])"), HasSubstr("score"));
  EXPECT_THAT(ErrorFor(R"([1,2])"), HasSubstr("index"));
  EXPECT_THAT(ErrorFor(R"({"x":1})"), HasSubstr("no list"));
  answer_.status = 404;
  EXPECT_THAT(ErrorFor("{}"), HasSubstr("start it with --rerank"));
}

TEST_F(RemoteRerankerTest, OllamaHasNone) {
  const auto opened = RemoteReranker::Open("ollama://m");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace vade::retriever
