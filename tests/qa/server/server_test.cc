// The whole server without models, over real connections: our API, its limits and its secrets.
#include "qa/server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/fake_embedder.h"
#include "tests/support/library_builder.h"
#include "tests/support/process.h"
#include "tests/support/raw_http.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::JsonRequest;
using testing::RawAnswer;
using testing::RawHttp;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options_.port = 0;
    options_.store = folder_.path() / "library.db";
    options_.usage_file = folder_.path() / "usage.jsonl";
    options_.log = LogFormat::kNone;
    options_.models.pool.program = VADE_BINARY_DIR "/bin/vade";
  }
  ~ServerTest() override { Stop(); }

  void AddLibrary() {
    testing::FakeEmbedder embedder;
    const auto store = vectorstore::Store::Open(options_.store, {});
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->SetFingerprints(
        {embedder.fingerprint(), "test", testing::FakeEmbedder::kDimension}));
    ASSERT_TRUE((*store)->AddCollection((folder_.path() / "docs").native(), "docs"));
    testing::AddDocument(
        **store, embedder, "pump.md", "Pump manual",
        {{"Reset", "To reset the pump, hold the red button for five seconds.", "iv"},
         {"Weight", "The pump weighs 12.5 kg without water.", "v"}});
    testing::AddDocument(**store, embedder, "valve.md", "Valve manual",
                         {{"Opening", "Turn the valve to the left to open it."}});
  }
  void Start() {
    auto server = Server::Start(options_, std::make_unique<testing::FakeEmbedder>());
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    thread_ = std::thread([this] { server_->Run(false); });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    server_->Stop();
    thread_.join();
  }
  RawAnswer Ask(std::string_view method, std::string_view path, std::string_view body = "",
                std::string_view headers = "") {
    return RawHttp(server_->port()).Ask(JsonRequest(method, path, body, headers));
  }
  json Json(std::string_view method, std::string_view path, std::string_view body = "") {
    return json::parse(Ask(method, path, body).body, nullptr, false);
  }

  testing::TemporaryFolder folder_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, SearchesAndShowsDocuments) {
  AddLibrary();
  Start();
  const json found = Json("POST", "/api/v1/search", R"({"question":"reset the pump","k":1})");
  ASSERT_EQ(found["passages"].size(), 1u);
  EXPECT_EQ(found["passages"][0]["path"], "pump.md");
  const json documents = Json("GET", "/api/v1/documents?q=valve&limit=5");
  EXPECT_EQ(documents["total"], 1);
  const int64_t id = found["passages"][0]["document"];
  const std::string document = "/api/v1/documents/" + std::to_string(id);
  EXPECT_EQ(Json("GET", document)["pages"].size(), 2u);
  EXPECT_THAT(Json("GET", document + "/pages/2")["text"].get<std::string>(), HasSubstr("12.5 kg"));
  EXPECT_EQ(Ask("GET", document + "/pages/3").status, 404);
  EXPECT_EQ(Ask("GET", document + "/file").status, 404);
  EXPECT_THAT(Json("GET", document + "/text")["text"].get<std::string>(), HasSubstr("red button"));
  EXPECT_EQ(Json("GET", "/api/v1/collections")["collections"][0]["documents"], 2);
  EXPECT_EQ(Json("GET", "/api/v1/status")["documents"], 2);
  for (const char* path : {"/api/v1/documents/99", "/api/v1/documents/0", "/api/v1/documents/x",
                           "/api/v1/documents/-1"}) {
    EXPECT_EQ(Ask("GET", path).status, 404) << path;
  }
}

TEST_F(ServerTest, AnswersWithCitationsAndFollowsUp) {
  AddLibrary();
  Start();
  const std::string ask = R"({"question":"How do I reset the pump?","stream":false})";
  const json answer = Json("POST", "/api/v1/ask", ask);
  EXPECT_EQ(answer["refused"], false);
  EXPECT_THAT(answer["answer"].get<std::string>(), HasSubstr("red button"));
  EXPECT_EQ(answer["citations"][0]["match"], "exact");
  EXPECT_EQ(answer["citations"][0]["page"]["label"], "iv");
  EXPECT_EQ(answer["cached"], false);
  EXPECT_EQ(Json("POST", "/api/v1/ask", ask)["cached"], true);
  const std::string conversation = answer["conversation"];
  const json next = Json("POST", "/api/v1/ask",
                         R"({"question":"And how heavy is it?","stream":false,"conversation":")" +
                             conversation + "\"}");
  EXPECT_THAT(next["standalone"].get<std::string>(), HasSubstr("pump"));
  EXPECT_EQ(next["conversation"], conversation);
  EXPECT_EQ(Ask("DELETE", "/api/v1/conversations/" + conversation).status, 200);
  EXPECT_EQ(
      Ask("POST", "/api/v1/ask", R"({"question":"x","stream":false,"conversation":"gone"})").status,
      404);
}

TEST_F(ServerTest, StreamsEventsThatEndWithTheAnswer) {
  AddLibrary();
  Start();
  const RawAnswer stream = Ask("POST", "/api/v1/ask", R"({"question":"How do I reset the pump?"})");
  EXPECT_EQ(stream.Header("content-type"), "text/event-stream");
  EXPECT_THAT(stream.body, HasSubstr("event: stage\ndata: {"));
  EXPECT_THAT(stream.body, HasSubstr("event: passages\n"));
  const size_t at = stream.body.rfind("event: answer\ndata: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(json::parse(stream.body.substr(at + 20))["refused"], false);
}

TEST_F(ServerTest, TheModelNamedVadeAnswersFromTheLibrary) {
  AddLibrary();
  Start();
  const json reply =
      Json("POST", "/v1/chat/completions",
           R"({"model":"vade","messages":[{"role":"user","content":"How do I reset the pump?"}]})");
  EXPECT_THAT(reply["choices"][0]["message"]["content"].get<std::string>(),
              HasSubstr("red button"));
  EXPECT_EQ(reply["sources"][0]["path"], "pump.md");
  const RawAnswer lines =
      Ask("POST", "/api/chat",
          R"({"model":"vade","messages":[{"role":"user","content":"How do I reset the pump?"}]})");
  EXPECT_EQ(lines.Header("content-type"), "application/x-ndjson");
  EXPECT_THAT(lines.body, HasSubstr("red button"));
  EXPECT_THAT(lines.body, HasSubstr(R"("done":true)"));
}

TEST_F(ServerTest, ChangesOfTheLibraryAreSeenAtOnce) {
  AddLibrary();
  Start();
  const std::string search = R"({"question":"valve","mode":"lexical"})";
  const json before = Json("POST", "/api/v1/search", search);
  ASSERT_EQ(before["passages"].size(), 1u);
  const int64_t id = before["passages"][0]["document"];
  EXPECT_EQ(Ask("DELETE", "/api/v1/documents/" + std::to_string(id)).status, 200);
  EXPECT_EQ(Json("POST", "/api/v1/search", search)["passages"].size(), 0u);
}

TEST_F(ServerTest, WithoutALibraryItSaysWhatToDo) {
  Start();
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(Json("GET", "/api/v1/documents")["total"], 0);
  EXPECT_EQ(Json("GET", "/api/v1/status")["documents"], 0);
  const RawAnswer search = Ask("POST", "/api/v1/search", R"({"question":"x"})");
  EXPECT_EQ(search.status, 404);
  EXPECT_THAT(search.body, HasSubstr("vade index"));
  AddLibrary();
  EXPECT_EQ(Ask("POST", "/api/v1/search", R"({"question":"pump"})").status, 200);
}

TEST_F(ServerTest, JobsNeedKnownNames) {
  AddLibrary();
  Start();
  EXPECT_EQ(Ask("POST", "/api/v1/index", R"({"collection":"/etc"})").status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/index", R"({"folder":"/etc"})").status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/eval", R"({"set":"../x"})").status, 404);
  const json job = Json("POST", "/api/v1/index", R"({"collection":"docs"})");
  EXPECT_EQ(job["collection"], "docs");
  const RawAnswer watched = Ask("GET", "/api/v1/index/" + job["id"].get<std::string>(), "",
                                "Accept: text/event-stream\r\n");
  EXPECT_THAT(watched.body, HasSubstr("event: done\n"));
  EXPECT_EQ(Ask("DELETE", "/api/v1/index/nope").status, 404);
}

TEST_F(ServerTest, EveryReplyCarriesItsGuards) {
  Start();
  for (const char* path : {"/healthz", "/nope", "/api/v1/status"}) {
    const RawAnswer answer = Ask("GET", path);
    EXPECT_EQ(answer.Header("x-content-type-options"), "nosniff") << path;
    EXPECT_THAT(answer.Header("content-security-policy"), HasSubstr("default-src 'none'")) << path;
    EXPECT_EQ(answer.Header("referrer-policy"), "no-referrer") << path;
    EXPECT_EQ(answer.Header("x-request-id").size(), 16u) << path;
    EXPECT_EQ(answer.Header("access-control-allow-origin"), "") << path;
  }
}

TEST_F(ServerTest, KeysAndLimits) {
  Sha256 hash;
  const std::string token = "a token of enough length";
  hash.Add(std::as_bytes(std::span(token)));
  options_.keys = {{.name = "ali", .token_sha256 = hash.Finish(), .requests_per_minute = 2}};
  Start();
  EXPECT_EQ(Ask("GET", "/api/v1/status").status, 401);
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  const std::string key = "Authorization: Bearer " + token + "\r\n";
  EXPECT_EQ(Ask("GET", "/api/v1/status", "", key).status, 200);
  EXPECT_EQ(Ask("GET", "/api/v1/status", "", key).status, 200);
  const RawAnswer limited = Ask("GET", "/api/v1/status", "", key);
  EXPECT_EQ(limited.status, 429);
  EXPECT_GE(std::stoi(limited.Header("retry-after")), 1);
}

TEST_F(ServerTest, OtherAddressesNeedAToken) {
  options_.host = "0.0.0.0";
  const auto server = Server::Start(options_, std::make_unique<testing::FakeEmbedder>());
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("token"));
}

TEST_F(ServerTest, DescribesItself) {
  Start();
  const json api = Json("GET", "/openapi.json");
  EXPECT_EQ(api["openapi"], "3.1.0");
  // Every described path is served: another method than described would be a 405, not a 404.
  for (const auto& [path, methods] : api["paths"].items()) {
    std::string concrete = path;
    for (size_t at = 0; (at = concrete.find('{')) != std::string::npos;) {
      concrete.replace(at, concrete.find('}') - at + 1, "1");
    }
    const RawAnswer answer = Ask("DELETE", concrete);
    EXPECT_TRUE(answer.status == 405 || methods.contains("delete")) << path << " " << answer.status;
  }
}

TEST_F(ServerTest, MetricsCountByRouteAndNeverByPath) {
  AddLibrary();
  Start();
  (void)Ask("GET", "/api/v1/documents/1");
  (void)Ask("GET", "/secret-path-of-a-user");
  (void)Ask("POST", "/api/v1/search", R"({"question":"confidential words"})");
  const std::string metrics = Ask("GET", "/metrics").body;
  EXPECT_THAT(metrics,
              HasSubstr("route=\"/api/v1/documents/{id}\",method=\"GET\",status=\"200\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("route=\"(none)\""));
  EXPECT_THAT(metrics, ::testing::Not(HasSubstr("secret-path")));
  EXPECT_THAT(metrics, ::testing::Not(HasSubstr("confidential")));
}

}  // namespace
}  // namespace vade::qa::server
