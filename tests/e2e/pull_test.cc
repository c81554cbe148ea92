// vade model pull as a user runs it, against a server of ours: a model arrives, is found by its
// name and runs; what goes wrong has its exit code and leaves nothing that looks like a model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include "tests/support/http_server.h"
#include "tests/support/process.h"

namespace vade::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class PullTest : public ::testing::Test {
 protected:
  PullTest()
      : model_(ReadFile(std::string(VADE_SOURCE_DIR) + "/tests/golden/models/llama-linear-mha.gguf")
                   .value()) {
    Sha256 hash;
    hash.Add(std::as_bytes(std::span(model_)));
    sha256_ = hash.Finish();
  }

  // Both registries: the file itself, or the manifest that names it.
  ServedAnswer Answer(const ServedRequest& request) const {
    if (request.target.ends_with("/manifests/tiny")) {
      return {.body = R"({"layers":[{"mediaType":"application/vnd.ollama.image.model","size":)" +
                      std::to_string(model_.size()) + R"(,"digest":"sha256:)" + sha256_ + "\"}]}"};
    }
    const bool known = request.target == "/org/repo/resolve/main/tiny.gguf" ||
                       request.target == "/v2/library/lm/blobs/sha256:" + sha256_;
    if (!known) return {.status = 404};
    ServedAnswer answer = HttpServer::File(request, model_, "\"e\"");
    answer.headers["X-Linked-Etag"] = "\"" + sha256_ + "\"";
    return answer;
  }

  Finished Vade(const std::vector<std::string>& arguments) const {
    return RunVade(home_.path(), arguments,
                   {.environment = {{"VADE_MODELS", (home_.path() / "models").string()},
                                    {"VADE_HUGGING_FACE_URL", server_.url()},
                                    {"VADE_OLLAMA_URL", server_.url() + "/"}}});
  }

  std::string model_;
  std::string sha256_;
  HttpServer server_{[this](const ServedRequest& request) { return Answer(request); }};
  TemporaryFolder home_;
};

TEST_F(PullTest, APulledModelRunsByItsName) {
  EXPECT_THAT(Vade({"model", "list"}).out, HasSubstr("no models in"));
  const Finished pulled = Vade({"model", "pull", "hf://org/repo/tiny.gguf"});
  ASSERT_EQ(pulled.code, 0) << pulled.err;
  EXPECT_THAT(pulled.out, HasSubstr("sha256 as published"));
  EXPECT_EQ(ReadFile(home_.path() / "models" / "tiny.gguf").value(), model_);
  const size_t before = server_.requests().size();
  EXPECT_THAT(Vade({"model", "pull", "hf://org/repo/tiny.gguf"}).out, HasSubstr("here already"));
  EXPECT_EQ(server_.requests().size(), before + 1);  // only asked about
  const json list = json::parse(Vade({"--json", "model", "list"}).out);
  ASSERT_EQ(list["models"].size(), 1u);
  EXPECT_EQ(list["models"][0]["name"], "tiny.gguf");
  for (const char* name : {"tiny", "tiny.gguf"}) {
    const Finished run = Vade({"generate", "-q", "-m", name, "-p", "x", "-n", "2", "--raw"});
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_EQ(Vade({"model", "show", name}).code, 0);
  }
}

TEST_F(PullTest, OllamaModels) {
  const Finished pulled = Vade({"--json", "model", "pull", "ollama://lm:tiny"});
  ASSERT_EQ(pulled.code, 0) << pulled.err;
  const json out = json::parse(pulled.out);
  EXPECT_EQ(out["sha256"], sha256_);
  EXPECT_EQ(out["new"], true);
  EXPECT_EQ(ReadFile(home_.path() / "models" / "lm-tiny.gguf").value(), model_);
}

TEST_F(PullTest, WhatGoesWrong) {
  EXPECT_EQ(Vade({"model", "pull", "tiny"}).code, 2);
  EXPECT_EQ(Vade({"model", "pull", "hf://org/../tiny.gguf"}).code, 2);
  const Finished absent = Vade({"model", "pull", "hf://org/repo/other.gguf"});
  EXPECT_EQ(absent.code, 7);
  EXPECT_THAT(absent.err, HasSubstr("not found (status 404)"));
  sha256_ = std::string(64, 'a');
  const Finished wrong = Vade({"model", "pull", "hf://org/repo/tiny.gguf"});
  EXPECT_EQ(wrong.code, 7);
  EXPECT_THAT(wrong.err, HasSubstr(": removed"));
  EXPECT_TRUE(std::filesystem::is_empty(home_.path() / "models"));
}

}  // namespace
}  // namespace vade::testing
