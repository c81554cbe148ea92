// vade serve with a real (tiny) model: the APIs of OpenAI and Ollama, runners that crash, clients
// that hang up, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/support/process.h"
#include "tests/support/raw_http.h"
#include "tests/support/served_vade.h"

namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using vade::testing::JsonRequest;
using vade::testing::RawAnswer;
using vade::testing::RawHttp;
using vade::testing::ServedVade;

const std::string kTiny = VADE_SOURCE_DIR "/tests/golden/models/llama-linear-mha.gguf";

class ServeTest : public ::testing::Test {
 protected:
  void Start(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"-m", "tiny=" + kTiny, "--threads", "1"});
    server_ = std::make_unique<ServedVade>(home_.path(), arguments);
    ASSERT_NE(server_->port(), 0);
  }
  RawAnswer Ask(std::string_view method, std::string_view path, const json& body = nullptr) {
    return RawHttp(server_->port())
        .Ask(JsonRequest(method, path, body.is_null() ? "" : body.dump()));
  }
  json Json(std::string_view method, std::string_view path, const json& body = nullptr) {
    return json::parse(Ask(method, path, body).body, nullptr, false);
  }
  json Chat(int max_tokens) {
    return {{"model", "tiny"},
            {"messages", json::array({{{"role", "user"}, {"content", "hi"}}})},
            {"max_tokens", max_tokens},
            {"temperature", 0}};
  }
  json Loaded() { return Json("GET", "/api/v1/models")["loaded"]; }

  vade::testing::TemporaryFolder home_;
  std::unique_ptr<ServedVade> server_;
};

TEST_F(ServeTest, SpeaksTheApisOfOpenAiAndOllama) {
  Start();
  const json whole = Json("POST", "/v1/chat/completions", Chat(5));
  ASSERT_EQ(whole["usage"]["completion_tokens"], 5) << whole;
  const std::string text = whole["choices"][0]["message"]["content"];
  json streamed = Chat(5);
  streamed["stream"] = true;
  const RawAnswer events = Ask("POST", "/v1/chat/completions", streamed);
  EXPECT_THAT(events.body, HasSubstr("\"finish_reason\":\"length\""));
  EXPECT_THAT(events.body, ::testing::EndsWith("data: [DONE]\n\n"));
  const json ollama = Json("POST", "/api/chat",
                           {{"model", "tiny:latest"},
                            {"messages", json::array({{{"role", "user"}, {"content", "hi"}}})},
                            {"stream", false},
                            {"options", {{"num_predict", 5}, {"temperature", 0}}}});
  EXPECT_EQ(ollama["message"]["content"], text);
  EXPECT_EQ(ollama["done_reason"], "length");
  EXPECT_GT(ollama["eval_duration"], 0);
  const json embedded =
      Json("POST", "/api/embed", {{"model", "all-MiniLM-L6-v2"}, {"input", {"a", "b"}}});
  EXPECT_EQ(embedded["embeddings"].size(), 2u);
  EXPECT_EQ(Loaded().size(), 2u);
}

TEST_F(ServeTest, TellsTheContextItWasStartedWith) {
  Start({"--context", "24"});
  const json listed = Json("GET", "/v1/models/tiny");
  EXPECT_EQ(listed["max_model_len"], 24) << listed;
  const json shown = Json("POST", "/api/show", {{"model", "tiny"}});
  EXPECT_EQ(shown["model_info"]["llama.context_length"], 24) << shown;
}

// Our own clients of both APIs, against our own server of both.
TEST_F(ServeTest, OneServerAsksAnother) {
  Start();
  const std::string at = "127.0.0.1:" + std::to_string(server_->port());
  vade::testing::TemporaryFolder other_home;
  ServedVade other(other_home.path(), {"-m", "far=openai://" + at + "/v1/tiny", "-m",
                                       "farther=ollama://" + at + "/tiny", "--threads", "1"});
  ASSERT_NE(other.port(), 0);
  const json direct = Json("POST", "/v1/chat/completions", Chat(5));
  for (const char* name : {"far", "farther"}) {
    json body = Chat(5);
    body["model"] = name;
    const RawAnswer answer =
        RawHttp(other.port()).Ask(JsonRequest("POST", "/v1/chat/completions", body.dump()));
    const json reply = json::parse(answer.body, nullptr, false);
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(reply["choices"][0]["message"]["content"], direct["choices"][0]["message"]["content"])
        << name;
  }
}

// faults.md 60, 61: every number is checked before the model sees it.
TEST_F(ServeTest, BadRequestsAreNamedAndHarmNothing) {
  Start();
  for (const auto& [member, value] : std::vector<std::pair<std::string, json>>{
           {"max_tokens", -1},
           {"temperature", -1},
           {"top_k", -5},
           {"n", 1'000'000},
           {"seed", 1e300},
           {"grammar", "root ::= root \"a\""},
           {"grammar", "root ::= (\"a\"{0,1000000000})"},
           {"stop", json::array({1})},
           {"logit_bias", {{"99999999", 1}}},
           {"messages", json::array()},
           {"messages",
            json::array({{{"role", "user"}, {"content", std::string(100'000, 'x')}}})}}) {
    json body = Chat(2);
    body[member] = value;
    const RawAnswer answer = Ask("POST", "/v1/chat/completions", body);
    EXPECT_EQ(answer.status, 400) << member << " " << answer.body;
    EXPECT_TRUE(json::parse(answer.body)["error"]["message"].is_string());
  }
  json unknown = Chat(2);
  unknown["model"] = "../../etc/passwd";
  EXPECT_EQ(Ask("POST", "/v1/chat/completions", unknown).status, 404);
  EXPECT_EQ(Ask("POST", "/v1/chat/completions", Chat(2)).status, 200);
}

TEST_F(ServeTest, ACrashedRunnerIsStartedAgain) {
  Start();
  ASSERT_EQ(Ask("POST", "/v1/chat/completions", Chat(2)).status, 200);
  const json before = Loaded();
  ASSERT_EQ(before.size(), 1u);
  kill(before[0]["pid"].get<pid_t>(), SIGKILL);
  // What was in flight fails; what comes after does not.
  for (int i = 0; i < 100 && Ask("POST", "/v1/chat/completions", Chat(2)).status != 200; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const json after = Loaded();
  ASSERT_EQ(after.size(), 1u);
  EXPECT_NE(after[0]["pid"], before[0]["pid"]);
}

// faults.md 67.
TEST_F(ServeTest, AHangUpFreesTheModel) {
  Start();
  json body = Chat(0);
  body["stream"] = true;
  body["ignore_eos"] = true;
  for (int i = 0; i < 5; ++i) {
    RawHttp client(server_->port());
    client.Send(JsonRequest("POST", "/v1/chat/completions", body.dump()));
    (void)client.ReadSome();
    client.Close();
  }
  bool idle = false;
  for (int i = 0; i < 500 && !idle; ++i) {
    idle = true;
    for (const json& model : Loaded()) idle &= model["requests"] == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(idle);
}

TEST_F(ServeTest, ModelsAreLoadedAndUnloadedByWord) {
  Start({"--keep-alive", "-1"});
  EXPECT_EQ(Json("POST", "/api/generate", {{"model", "tiny"}, {"stream", false}})["done_reason"],
            "load");
  EXPECT_EQ(Loaded().size(), 1u);
  EXPECT_EQ(Loaded()[0]["expires_at"], nullptr);
  EXPECT_EQ(Ask("POST", "/api/v1/models/unload", {{"name", "tiny"}}).status, 200);
  EXPECT_EQ(Loaded().size(), 0u);
  EXPECT_EQ(Ask("POST", "/api/v1/models/unload", {{"name", "tiny"}}).status, 404);
  EXPECT_EQ(Ask("POST", "/api/pull", {{"model", "x"}}).status, 403);
  EXPECT_EQ(Ask("DELETE", "/api/delete", {{"model", "tiny"}}).status, 400);
}

// faults.md 69.
TEST_F(ServeTest, EndsOrderlyAndSaysSoToThoseItCutsOff) {
  Start();
  ASSERT_EQ(Ask("POST", "/v1/chat/completions", Chat(2)).status, 200);
  const pid_t runner = Loaded()[0]["pid"];
  EXPECT_EQ(server_->Stop(SIGTERM), 0);
  EXPECT_NE(kill(runner, 0), 0);  // its runners end with it
  Start();
  EXPECT_EQ(server_->Stop(SIGINT), 0);
  Start();
  const pid_t pid = server_->pid();
  ASSERT_EQ(Ask("POST", "/v1/chat/completions", Chat(2)).status, 200);
  const pid_t orphan = Loaded()[0]["pid"];
  kill(pid, SIGKILL);
  (void)server_->Wait();
  for (int i = 0; i < 500 && kill(orphan, 0) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(kill(orphan, 0), 0);  // nor do they outlive a killed one
}

TEST_F(ServeTest, APortInUseIsExitSix) {
  Start();
  const auto second =
      vade::testing::RunVade(home_.path(), {"serve", "--port", std::to_string(server_->port())});
  EXPECT_EQ(second.code, 6);
  EXPECT_THAT(second.err, HasSubstr("address in use"));
  const auto open =
      vade::testing::RunVade(home_.path(), {"serve", "--host", "0.0.0.0", "--port", "0"});
  EXPECT_EQ(open.code, 2);
  EXPECT_THAT(open.err, HasSubstr("token"));
}

// faults.md (d) 1 and 4, 64.
TEST_F(ServeTest, OffLoopbackOnlyTheTokenOpens) {
  const auto file = home_.path() / "token";
  Start({"--host", "0.0.0.0", "--token-file", file.native()});
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::ifstream stream(file);
  std::string token;
  std::getline(stream, token);
  ASSERT_GE(token.size(), 43u);  // 256 bits
  const auto ask = [&](const std::string& headers) {
    return RawHttp(server_->port()).Ask(JsonRequest("GET", "/v1/models", "", headers));
  };
  const RawAnswer missing = ask("");
  const RawAnswer wrong = ask("Authorization: Bearer " + std::string(token.size(), 'x') + "\r\n");
  EXPECT_EQ(missing.status, 401);
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(missing.body, wrong.body);
  EXPECT_EQ(missing.body.find(token), std::string::npos);
  EXPECT_EQ(ask("Authorization: Bearer " + token + "\r\n").status, 200);
}

// faults.md 62.
TEST_F(ServeTest, HostileGrammarsAreRefusedAtOnce) {
  Start();
  json schema = {{"type", "string"}};
  for (int i = 0; i < 60; ++i) schema = {{"type", "array"}, {"items", schema}};
  const auto ask = [&](const char* member, const json& value) {
    json body = Chat(3);
    body[member] = value;
    const auto started = std::chrono::steady_clock::now();
    const int status = Ask("POST", "/v1/chat/completions", body).status;
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20)) << member;
    return status;
  };
  EXPECT_EQ(ask("grammar", "root ::= root \"a\""), 400);
  EXPECT_EQ(ask("grammar", "root ::= [a-z]{0,1000000000}"), 400);
  const std::string open(60'000, '('), close(60'000, ')');
  EXPECT_EQ(ask("grammar", "root ::= " + open + "\"a\"" + close), 400);
  // These may also be answered, as long as it is soon.
  EXPECT_THAT(ask("grammar", "root ::= (\"\"*)*"), ::testing::AnyOf(200, 400));
  const auto with_schema = [](const json& it) {
    return json{{"type", "json_schema"}, {"json_schema", {{"schema", it}}}};
  };
  EXPECT_THAT(ask("response_format", with_schema(schema)), ::testing::AnyOf(200, 400));
  const json pattern = {{"type", "string"}, {"pattern", "(a*)*b{0,1000000000}"}};
  EXPECT_THAT(ask("response_format", with_schema(pattern)), ::testing::AnyOf(200, 400));
  EXPECT_EQ(Ask("POST", "/v1/chat/completions", Chat(2)).status, 200);
}

// faults.md 68.
TEST_F(ServeTest, EveryEventIsValidUtf8WhateverTheModelWrites) {
  Start();
  for (int seed = 1; seed <= 8; ++seed) {
    json body = Chat(40 + seed);
    body["temperature"] = 2;
    body["seed"] = seed;
    body["stream"] = true;
    body["ignore_eos"] = true;
    const RawAnswer answer = Ask("POST", "/v1/chat/completions", body);
    std::istringstream lines(answer.body);
    size_t events = 0;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("data: {")) continue;
      ++events;
      EXPECT_FALSE(json::parse(line.substr(6), nullptr, false).is_discarded()) << line;
    }
    EXPECT_GE(events, 2u) << answer.body;
    body["stream"] = false;
    EXPECT_FALSE(Json("POST", "/v1/chat/completions", body).is_discarded());
  }
}

TEST_F(ServeTest, TheLogHoldsNoQuestions) {
  Start({"--log", "json"});
  json body = Chat(2);
  body["messages"][0]["content"] = "a confidential question";
  (void)Ask("POST", "/v1/chat/completions", body);
  (void)Ask("GET", "/api/v1/documents?q=confidential");
  server_->Stop(SIGTERM);
  std::ifstream stream(home_.path() / "log");
  size_t lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    EXPECT_THAT(line, ::testing::Not(HasSubstr("confidential")));
    EXPECT_TRUE(json::parse(line).contains("request_id"));
  }
  EXPECT_GE(lines, 2u);
}

}  // namespace
