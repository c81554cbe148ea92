// vade chat: piped in, as JSON, and at a terminal where Ctrl-C must not end it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/process.h"
#include "tests/support/typist.h"

namespace vade::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kTiny =
    std::string(VADE_SOURCE_DIR) + "/tests/golden/models/llama-linear-mha.gguf";

class ChatTest : public ::testing::Test {
 protected:
  void Index() const {
    home_.Write("manuals/pump.md",
                "# Pump P200\n\nThe maximum pressure of the P200 is 8 bar.\n\n"
                "# Pump P350\n\nThe maximum pressure of the P350 is 10 bar.\n");
    ASSERT_EQ(RunVade(home_.path(), {"index", Manuals()}).code, 0);
  }
  std::string Manuals() const { return (home_.path() / "manuals").string(); }
  Finished Chat(std::vector<std::string> arguments, const std::string& input) const {
    arguments.insert(arguments.begin(), "chat");
    return RunVade(home_.path(), arguments, {.stdin_text = input});
  }
  TemporaryFolder home_;
};

std::vector<json> Objects(const std::string& lines) {
  std::vector<json> objects;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) objects.push_back(json::parse(line));
  return objects;
}

TEST_F(ChatTest, PipedQuestionsAreAnsweredWithSources) {
  Index();
  const Finished run = Chat({Manuals()},
                            "What is the maximum pressure of the P200?\n"
                            "What about the P350?\n");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("P200 is 8 bar."));
  EXPECT_THAT(run.out, HasSubstr("P350 is 10 bar."));
  EXPECT_THAT(run.out, HasSubstr("Sources:\n[1] pump.md"));
  EXPECT_THAT(run.out, Not(HasSubstr("> "))) << "no prompt for a pipe";
}

TEST_F(ChatTest, JsonIsOneObjectPerLine) {
  Index();
  const std::string file = (home_.path() / "talk.json").string();
  const Finished run = Chat({"--json"},
                            "What is the maximum pressure of the P200?\n\n"
                            "What about the P350?\n/sources\n/context\n/nonsense\n"
                            "/save " +
                                file + "\n/quit\nnever read\n");
  EXPECT_EQ(run.code, 0) << run.err;
  const auto objects = Objects(run.out);
  ASSERT_EQ(objects.size(), 6u) << run.out;
  EXPECT_EQ(objects[0]["rewriting"], "as typed");
  EXPECT_EQ(objects[1]["standalone"], "What is the maximum pressure of the P350?");
  EXPECT_EQ(objects[1]["citations"][0]["path"], "pump.md");
  EXPECT_EQ(objects[2]["sources"][0]["path"], "pump.md");
  EXPECT_THAT(objects[3]["message"].get<std::string>(), HasSubstr("2 turns remembered"));
  EXPECT_TRUE(objects[4].contains("error"));
  EXPECT_EQ(objects[5]["message"], "2 turns saved");

  const auto again = Objects(Chat({"--json", "--load", file}, "What about the P200?\n").out);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0]["standalone"], "What is the maximum pressure of the P200?");
}

TEST_F(ChatTest, AModelAnswersOrTheRefusalDoes) {
  Index();
  const Finished run = Chat({"-m", kTiny, "--json", "--max-tokens", "8"},
                            "What is the maximum pressure of the P200?\nWhy?\n/model\n");
  EXPECT_EQ(run.code, 0) << run.err;
  const auto objects = Objects(run.out);
  ASSERT_EQ(objects.size(), 3u) << run.out;
  EXPECT_EQ(objects[0]["refused"], true) << "noise is not shown";
  EXPECT_EQ(objects[1]["rewriting"], "topic carried");
  EXPECT_GT(objects[1]["history"]["budget_tokens"], 0);
  const auto plain = Objects(Chat({"-m", kTiny, "--plain", "--json", "-n", "5"}, "hello\n").out);
  ASSERT_EQ(plain.size(), 1u);
  EXPECT_EQ(plain[0]["stop_reason"], "length");
}

TEST_F(ChatTest, WhatCannotWorkIsRefused) {
  EXPECT_EQ(Chat({}, "hello\n").code, 5) << "no library";
  EXPECT_EQ(Chat({"--plain"}, "hello\n").code, 2);
  Index();
  const Finished other = Chat({"/"}, "What is the maximum pressure?\n");
  EXPECT_EQ(other.code, 0) << "the folder holds the library's";
  const Finished unknown = Chat({(home_.path() / "library.db").string()}, "hello\n");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("is not in the library"));
  EXPECT_NE(Chat({"--load", "/nowhere.json"}, "").code, 0);
}

TEST_F(ChatTest, ToolsAreListedAndThoseOfTheNetAreDeniedWithoutATerminal) {
  Index();
  const Finished run = Chat({"-m", kTiny, "--tools"}, "/tools\n/tools off\n/tools sideways\n");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("tools are on\n  search_library\n  read_page\n  calculator"));
  EXPECT_THAT(run.out, HasSubstr("tools are off"));
  EXPECT_THAT(run.out, Not(HasSubstr("web_search"))) << "there is none unless configured";
  EXPECT_THAT(run.err, HasSubstr("/tools takes on or off"));
  EXPECT_EQ(Chat({"--tools"}, "hello\n").code, 2) << "tools are for a model";
  EXPECT_EQ(Chat({"-m", kTiny, "--tools", "--allow-tool", "web_search"}, "").code, 2);

  home_.Write(".config/vade/config.toml",
              "[tools]\nweb_search_url = \"http://127.0.0.1:1\"\n"
              "weather_url = \"http://127.0.0.1:1\"\nallow = [\"weather\"]\n");
  const Finished configured = Chat({"-m", kTiny, "--tools"}, "/tools\n");
  EXPECT_THAT(configured.out, HasSubstr("web_search (leaves the machine: denied)"));
  EXPECT_THAT(configured.out, HasSubstr("weather (leaves the machine: allowed)"));
  for (const char* wrong : {"[tools]\nweb_serch_url = \"http://x\"\n", "tools = 3\n",
                            "[tools]\nweather_url = \"file:///etc/passwd\"\n",
                            "[tools]\nallow = \"weather\"\n", "[tools]\nallow = [1]\n"}) {
    home_.Write(".config/vade/config.toml", wrong);
    EXPECT_EQ(Chat({}, "").code, 2) << wrong;
  }
}

TEST_F(ChatTest, CtrlCStopsAnAnswerAndCtrlDTheProgram) {
  Typist typist(home_.path(), {"chat", "-m", kTiny, "--plain", "--temperature", "1"});
  ASSERT_TRUE(typist.Sees("> ")) << typist.seen();
  typist.Type("half a line\x03");
  ASSERT_TRUE(typist.Sees("> ")) << "Ctrl-C at the prompt: " << typist.seen();
  typist.Type("hello\n");
  ASSERT_TRUE(typist.Sees("hello")) << typist.seen();
  typist.Type("\x03");                                // while it answers, or just after
  ASSERT_TRUE(typist.Sees("\n> ")) << typist.seen();  // the model may write "> " too
  typist.Type("/help\n");
  ASSERT_TRUE(typist.Sees("Ctrl-C stops one answer")) << typist.seen();
  ASSERT_TRUE(typist.Sees("> "));
  typist.Type("\x04");
  EXPECT_EQ(typist.Wait(), 0) << typist.seen();
}

}  // namespace
}  // namespace vade::testing
