// Models behind servers as a user meets them: the same commands, and exit code 7 when a server
// fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/http_server.h"
#include "tests/support/process.h"

namespace vade::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPump =
    "# Pump P1\n\n## Reset\n\nTo reset the pump, hold the green button for 7 seconds.\n";

class RemoteTest : public ::testing::Test {
 protected:
  // An Ollama server with a language model "lm" and an embedding model "em".
  ServedAnswer Answer(const ServedRequest& request) {
    const json body = json::parse(request.body, nullptr, false);
    if (request.target == "/api/show") {
      if (body["model"] != "lm" && body["model"] != "em") {
        return {.status = 404, .body = R"({"error":"model 'x' not found"})"};
      }
      return {.body = R"({"model_info":{"general.architecture":"a","a.context_length":2048}})"};
    }
    if (request.target == "/api/embed") {
      if (embeddings_left_-- <= 0) return {.status = 500, .body = R"({"error":"out of memory"})"};
      json vectors = json::array();
      for (const json& text : body["input"]) {
        const std::string words = text.get<std::string>();
        vectors.push_back({words.find("pump") == std::string::npos ? 0.1 : 1.0, 1.0});
      }
      return {.body = json{{"embeddings", vectors}}.dump()};
    }
    if (request.target == "/api/chat") {
      return {.body = R"({"message":{"content":"Hold the green button for 7 seconds [1]."}})"
                      "\n"
                      R"({"message":{"content":""},"done":true,"done_reason":"stop",)"
                      R"("prompt_eval_count":300,"eval_count":9})"
                      "\n"};
    }
    return {.status = 404, .body = "{}"};
  }
  Finished Vade(const std::vector<std::string>& arguments) {
    return RunVade(home_.path(), arguments, {.environment = {{"OLLAMA_HOST", server_.url()}}});
  }

  int embeddings_left_ = 1000;
  TemporaryFolder home_;
  HttpServer server_{[this](const ServedRequest& request) { return Answer(request); }};
};

TEST_F(RemoteTest, BothModelsMayBeBehindAServer) {
  const auto manuals = home_.Write("manuals/pump.md", kPump).parent_path().string();
  const Finished indexed = Vade({"index", manuals, "--embedder", "ollama://em"});
  ASSERT_EQ(indexed.code, 0) << indexed.err;
  const Finished asked = Vade({"ask", "--embedder", "ollama://em", "-m", "ollama://lm", "--json",
                               "How do I reset the pump?"});
  ASSERT_EQ(asked.code, 0) << asked.err;
  const json answer = json::parse(asked.out);
  EXPECT_EQ(answer["citations"][0]["path"], "pump.md");
  EXPECT_EQ(answer["generation"]["prompt_tokens"], 300);
  const Finished other = Vade({"search", "reset"});
  EXPECT_EQ(other.code, 5) << "the library was built with another embedder";
  EXPECT_THAT(other.err, HasSubstr("ollama:em"));
}

TEST_F(RemoteTest, TextIsGenerated) {
  const Finished run = Vade({"generate", "-m", "ollama://lm", "-p", "hello", "--json"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["text"], "Hold the green button for 7 seconds [1].");
}

TEST_F(RemoteTest, AMissingModelSaysWhatToDo) {
  const Finished run = Vade({"generate", "-m", "ollama://missing", "-p", "hello"});
  EXPECT_EQ(run.code, 7);
  EXPECT_THAT(run.err, HasSubstr("ollama pull missing"));
}

TEST_F(RemoteTest, AServerThatDiesLeavesWhatIsIndexed) {
  const auto manuals = home_.Write("manuals/pump.md", kPump).parent_path().string();
  ASSERT_EQ(Vade({"index", manuals, "--embedder", "ollama://em"}).code, 0);
  home_.Write("manuals/oven.md", "# Oven\n\nWipe the door with a damp cloth.\n");
  embeddings_left_ = 1;  // for finding out the dimension
  const Finished died = Vade({"index", manuals, "--embedder", "ollama://em"});
  EXPECT_EQ(died.code, 7) << died.err;
  EXPECT_THAT(died.err, HasSubstr("out of memory"));
  EXPECT_THAT(died.err, HasSubstr("1 documents kept, run again to go on"));
  embeddings_left_ = 1000;
  EXPECT_EQ(Vade({"index", manuals, "--embedder", "ollama://em"}).code, 0);
  EXPECT_THAT(Vade({"ls"}).out, HasSubstr("oven.md"));
}

TEST_F(RemoteTest, AServerThatFailsDuringAQuestionIsNotTheLibrarysFault) {
  const auto manuals = home_.Write("manuals/pump.md", kPump).parent_path().string();
  ASSERT_EQ(Vade({"index", manuals, "--embedder", "ollama://em"}).code, 0);
  embeddings_left_ = 1;
  EXPECT_EQ(Vade({"search", "--embedder", "ollama://em", "pump"}).code, 7);
}

TEST_F(RemoteTest, CommandsThatLookInsideNeedAFile) {
  const Finished run = Vade({"explain", "-m", "ollama://lm", "hello"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("needs a file"));
}

TEST_F(RemoteTest, TheDoctorLooksAtServers) {
  const Finished well = Vade({"doctor", "-m", "ollama://lm", "--json"});
  const json checks = json::parse(well.out);
  EXPECT_EQ(checks["healthy"], true) << well.out;
  EXPECT_THAT(well.out, HasSubstr("there, context 2048 tokens"));
  const Finished ill = Vade({"doctor", "-m", "ollama://missing"});
  EXPECT_EQ(ill.code, 7);
  EXPECT_THAT(ill.out, HasSubstr("fail  ollama://missing"));
  EXPECT_THAT(ill.out, HasSubstr("-> "));
}

}  // namespace
}  // namespace vade::testing
