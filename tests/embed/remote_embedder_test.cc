// RemoteEmbedder against servers that answer as both kinds do, and wrongly.
#include "embed/remote_embedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_server.h"

namespace vade::embed {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServedAnswer;
using testing::ServedRequest;

class RemoteEmbedderTest : public ::testing::Test {
 protected:
  ServedAnswer Answer(const ServedRequest& request) {
    if (!answer_.empty() && num_asked_++ > 0) return {.body = answer_};
    if (request.target == "/api/show") {
      return {
          .status = status_,
          .body = R"({"model_info":{"general.architecture":"bert","bert.context_length":300}})"};
    }
    if (request.target == "/api/tags") {
      return {.body = R"({"models":[{"name":"e5-small:latest","digest":"abc"}]})"};
    }
    if (request.target == "/v1/models") return {.body = R"({"data":[{"id":"e5-small"}]})"};
    const json input = json::parse(request.body)["input"];
    json vectors = json::array();
    for (size_t i = 0; i < input.size(); ++i) {  // [length of the text, 1], not of unit length
      vectors.push_back({static_cast<double>(input[i].get<std::string>().size()), 1.0});
    }
    if (request.target == "/api/embed") return {.body = json{{"embeddings", vectors}}.dump()};
    json data = json::array();  // the last first
    for (size_t i = vectors.size(); i-- > 0;) {
      data.push_back({{"index", i}, {"embedding", vectors[i]}});
    }
    return {.body = json{{"data", data}}.dump()};
  }
  Result<std::unique_ptr<RemoteEmbedder>> Open(remote::ServerKind kind) {
    const bool is_ollama = kind == remote::ServerKind::kOllama;
    return RemoteEmbedder::Open(
        {.kind = kind, .base_url = server_.url() + (is_ollama ? "" : "/v1")}, "e5-small", {});
  }
  /// The error of embedding two passages when the server answers with this.
  std::string ErrorFor(const std::string& answer) {
    answer_.clear();
    auto embedder = Open(remote::ServerKind::kOpenAi);
    EXPECT_TRUE(embedder) << embedder.error().message;
    answer_ = answer;
    num_asked_ = 1;
    const std::vector<std::string_view> texts = {"one two", "three"};
    std::vector<float> out(4);
    const auto done = (*embedder)->EmbedPassages(texts, out);
    return done ? "none" : done.error().message;
  }

  int status_ = 200;
  std::string answer_;
  int num_asked_ = 0;
  HttpServer server_{[this](const ServedRequest& request) { return Answer(request); }};
};

TEST_F(RemoteEmbedderTest, BothKindsGiveUnitVectorsInOrder) {
  for (const auto kind : {remote::ServerKind::kOllama, remote::ServerKind::kOpenAi}) {
    auto embedder = Open(kind);
    ASSERT_TRUE(embedder) << embedder.error().message;
    ASSERT_EQ((*embedder)->dimension(), 2u);
    std::vector<std::string> texts;  // more than one request takes
    for (size_t i = 0; i < 70; ++i) texts.emplace_back(i + 1, 'a');
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    std::vector<float> out(140);
    const auto done = (*embedder)->EmbedPassages(views, out);
    ASSERT_TRUE(done) << done.error().message;
    for (size_t i = 0; i < 70; ++i) {
      const float length = static_cast<float>(i + 1 + std::string("passage: ").size());
      EXPECT_NEAR(out[2 * i] / out[2 * i + 1], length, 1e-3f) << i;
      EXPECT_NEAR(out[2 * i] * out[2 * i] + out[2 * i + 1] * out[2 * i + 1], 1.0f, 1e-5f);
    }
    const auto query = (*embedder)->EmbedQuery("a");
    ASSERT_TRUE(query);
    EXPECT_NEAR((*query)[0] / (*query)[1], 8.0f, 1e-3f) << "\"query: \" before it";
  }
}

TEST_F(RemoteEmbedderTest, TheFingerprintSaysWhichModel) {
  const auto ollama = Open(remote::ServerKind::kOllama);
  ASSERT_TRUE(ollama);
  EXPECT_EQ((*ollama)->fingerprint(),
            "ollama:e5-small digest=\"abc\" dimension=2 normalisation=l2 max_tokens=300 "
            "query_prefix=\"query: \" passage_prefix=\"passage: \"");
  EXPECT_EQ(json::parse(server_.requests().back().body)["truncate"], false);
  const auto other = Open(remote::ServerKind::kOpenAi);
  ASSERT_TRUE(other);
  EXPECT_THAT((*other)->fingerprint(), HasSubstr("openai:e5-small dimension=2"));
  EXPECT_EQ((*other)->max_tokens(), kMaxRemoteTokens);
}

TEST_F(RemoteEmbedderTest, LongTextsAreRefusedUnsent) {
  auto embedder = Open(remote::ServerKind::kOllama);
  ASSERT_TRUE(embedder);
  const size_t before = server_.requests().size();
  const auto query = (*embedder)->EmbedQuery(std::string(301, '!'));
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(server_.requests().size(), before);
}

TEST_F(RemoteEmbedderTest, WrongAnswersAreFound) {
  EXPECT_THAT(ErrorFor(R"({"data":[{"index":0,"embedding":[1,2]}]})"),
              HasSubstr("got 1 embeddings for 2 texts"));
  EXPECT_THAT(
      ErrorFor(R"({"data":[{"index":0,"embedding":[1,2,3]},{"index":1,"embedding":[1,2,3]}]})"),
      HasSubstr("got 3 dimensions, before it were 2"));
  EXPECT_THAT(ErrorFor(R"({"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]})"),
              HasSubstr("wrong numbers"));
  EXPECT_THAT(
      ErrorFor(R"({"data":[{"index":0,"embedding":[1,null]},{"index":1,"embedding":[1,2]}]})"),
      HasSubstr("no finite number"));
  EXPECT_THAT(ErrorFor(R"({"data":[{"index":0,"embedding":[0,0]},{"index":1,"embedding":[1,2]}]})"),
              HasSubstr("all zeros"));
  EXPECT_THAT(
      ErrorFor(R"({"data":[{"index":0,"embedding":[1e300,0]},{"index":1,"embedding":[1,2]}]})"),
      HasSubstr("no finite number"));
  EXPECT_THAT(ErrorFor("{}"), HasSubstr("no embeddings"));
  EXPECT_THAT(ErrorFor(R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,2]}],)"
                       R"("usage":{"prompt_tokens":2}})"),
              HasSubstr("the server read only 2 of at least"));
}

TEST_F(RemoteEmbedderTest, AMissingModelIsTold) {
  status_ = 404;
  const auto embedder = Open(remote::ServerKind::kOllama);
  ASSERT_FALSE(embedder);
  EXPECT_EQ(embedder.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(embedder.error().message, HasSubstr("ollama pull e5-small"));
}

}  // namespace
}  // namespace vade::embed
