// Names of models, and what registries of ours say about them; requests that redirect.
#include "engine/remote/model_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/remote/http_client.h"
#include "tests/support/http_server.h"

namespace vade::remote {
namespace {

using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServedAnswer;
using testing::ServedRequest;

const std::string kHash(64, 'a');

Result<std::vector<ModelFile>> Find(const HttpServer& server, const std::string& source) {
  return FindModelFiles(source, {server.url(), "secret", server.url()}, nullptr);
}

TEST(ModelSource, HuggingFaceRedirectsToItsStore) {
  int status = 200;
  HttpServer store([&](const ServedRequest&) {
    return ServedAnswer{
        .status = status, .headers = {{"ETag", "\"store\""}}, .body = std::string(77, 'x')};
  });
  HttpServer site([&](const ServedRequest&) {
    return ServedAnswer{.status = 302,
                        .headers = {{"Location", store.url() + "/blob?signature=1"},
                                    {"X-Linked-Etag", "\"" + kHash + "\""},
                                    {"X-Linked-Size", "77"}}};
  });
  const auto files = Find(site, "hf://org/repo/sub/m.Q8_0.gguf@v1.0");
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1u);
  const ModelFile& file = files->front();
  EXPECT_EQ(file.name, "m.Q8_0.gguf");
  EXPECT_EQ(file.remote.url, site.url() + "/org/repo/resolve/v1.0/sub/m.Q8_0.gguf");
  EXPECT_EQ(file.remote.sha256, kHash);
  EXPECT_EQ(file.remote.size_bytes, 77u);
  EXPECT_EQ(file.remote.etag, "\"store\"");
  // The token is for the site alone.
  EXPECT_EQ(site.requests().front().Header("authorization"), "Bearer secret");
  EXPECT_EQ(store.requests().front().Header("authorization"), "");
  status = 403;  // an address signed for GET alone
  const auto signed_files = Find(site, "hf://org/repo/m.gguf");
  ASSERT_TRUE(signed_files) << signed_files.error().message;
  EXPECT_EQ(signed_files->front().remote.size_bytes, 77u);
  EXPECT_EQ(signed_files->front().remote.etag, "");
}

TEST(ModelSource, AllPartsOfASplitModel) {
  HttpServer site([](const ServedRequest&) { return ServedAnswer{.body = "GGUF"}; });
  const auto files = Find(site, "hf://o/r/m-00001-of-00003.gguf");
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ((*files)[2].name, "m-00003-of-00003.gguf");
  EXPECT_EQ(site.requests()[1].target, "/o/r/resolve/main/m-00002-of-00003.gguf");
}

TEST(ModelSource, OllamaManifest) {
  std::string layers = R"({"mediaType":"application/vnd.ollama.image.license","size":3},)"
                       R"({"mediaType":"application/vnd.ollama.image.model","size":99,)"
                       R"("digest":"sha256:)" +
                       kHash + "\"}";
  HttpServer registry(
      [&](const ServedRequest&) { return ServedAnswer{.body = R"({"layers":[)" + layers + "]}"}; });
  auto files = Find(registry, "ollama://smollm2:135m");
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->front().name, "smollm2-135m.gguf");
  EXPECT_EQ(files->front().remote.sha256, kHash);
  EXPECT_EQ(files->front().remote.size_bytes, 99u);
  EXPECT_EQ(files->front().remote.url,
            registry.url() + "/v2/library/smollm2/blobs/sha256:" + kHash);
  EXPECT_EQ(registry.requests().front().target, "/v2/library/smollm2/manifests/135m");
  EXPECT_EQ(registry.requests().front().Header("authorization"), "");
  files = Find(registry, "ollama://me/mine");
  ASSERT_TRUE(files);
  EXPECT_EQ(files->front().name, "me-mine-latest.gguf");
  // A digest is a path on their side and ours: nothing but a hash will do.
  for (const char* wrong : {"", "sha256:../../etc/passwd", "sha256-aa", "md5:aa"}) {
    layers = R"({"mediaType":"application/vnd.ollama.image.model","size":9,"digest":")" +
             std::string(wrong) + "\"}";
    EXPECT_THAT(Find(registry, "ollama://m").error().message, HasSubstr("want sha256")) << wrong;
  }
  layers = "7";
  EXPECT_THAT(Find(registry, "ollama://m").error().message, HasSubstr("no model among"));
  layers = std::string(1000, '[');
  EXPECT_THAT(Find(registry, "ollama://m").error().message, HasSubstr("not a manifest"));
}

TEST(ModelSource, NamesThatAreNone) {
  HttpServer site([](const ServedRequest&) { return ServedAnswer{}; });
  for (const char* name :
       {"m.gguf", "https://example.com/m.gguf", "hf://", "hf://org/repo", "hf://org/repo/m.bin",
        "hf://org/../m.gguf", "hf://org/repo/../../m.gguf", "hf://org/repo/.m.gguf",
        "hf://org/repo/a b.gguf", "hf://org/repo/m.gguf@../x", "hf://org/repo/m.gguf@", "ollama://",
        "ollama://a/b/c", "ollama://a:b/c", "ollama://../x", "ollama://x:"}) {
    const auto files = Find(site, name);
    ASSERT_FALSE(files) << name;
    EXPECT_EQ(files.error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(site.requests().empty());
}

TEST(ModelSource, WhatRegistriesRefuse) {
  ServedAnswer answer;
  HttpServer site([&](const ServedRequest&) { return answer; });
  const auto expect = [&](const std::string& reason) {
    const auto files = Find(site, "hf://o/r/m.gguf");
    ASSERT_FALSE(files);
    EXPECT_THAT(files.error().message, HasSubstr(reason));
    EXPECT_EQ(files.error().code, ErrorCode::kUnavailable);
  };
  answer.status = 404;
  expect("/o/r/resolve/main/m.gguf: not found (status 404)");
  answer.status = 401;
  expect("it needs a token (HF_TOKEN)");
  answer.status = 200;  // a body of no bytes
  expect("want 1 to 2^42 bytes");
  answer.headers["X-Linked-Size"] = "99999999999999999999";
  expect("want 1 to 2^42 bytes");
}

TEST(HttpClientTest, RedirectsAreBounded) {
  ServedAnswer answer{.status = 302, .headers = {{"Location", "/again"}}};
  HttpServer server([&](const ServedRequest&) { return answer; });
  HttpClient client;
  const auto message = [&] { return client.Send({.url = server.url() + "/x"}).error().message; };
  EXPECT_THAT(message(), HasSubstr("more than 5 redirects"));
  EXPECT_EQ(server.requests().size(), 6u);
  for (const char* target : {"file:///etc/passwd", "ftp://example.com/x", "gopher://x/"}) {
    answer.headers["Location"] = target;
    EXPECT_THAT(message(),
                ::testing::AnyOf(HasSubstr("neither http nor https"), HasSubstr("not a URL")));
  }
}

TEST(HttpClientTest, BodiesAreBoundedAndUrlsKeepTheirSecrets) {
  HttpServer server(
      [](const ServedRequest&) { return ServedAnswer{.body = std::string(100, 'x')}; });
  HttpClient client;
  EXPECT_EQ(client.Send({.url = server.url()})->body.size(), 100u);
  const auto too_much = client.Send({.url = server.url() + "/?token=1", .max_body_bytes = 99});
  EXPECT_THAT(too_much.error().message, HasSubstr("more than 99 bytes"));
  EXPECT_THAT(too_much.error().message, ::testing::Not(HasSubstr("token")));
  EXPECT_EQ(ShownUrl("https://user:key@host/a?b#c"), "https://host/a");
  EXPECT_EQ(client.Send({.url = "file:///etc/passwd"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(client.Send({.url = "http://127.0.0.1:1/"}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(EscapePath("a/b c%"), "a/b%20c%25");
}

}  // namespace
}  // namespace vade::remote
