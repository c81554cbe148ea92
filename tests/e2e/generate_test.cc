// vade generate, bench and ask -m on a tiny model with random weights: what it writes is noise,
// how it is written is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/support/process.h"

namespace vade::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::string kTiny =
    std::string(VADE_SOURCE_DIR) + "/tests/golden/models/llama-linear-mha.gguf";

class GenerateTest : public ::testing::Test {
 protected:
  Finished Vade(const std::vector<std::string>& arguments, const std::string& input = "") const {
    return RunVade(home_.path(), arguments, {.stdin_text = input});
  }
  Finished Generate(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), {"generate", "-m", kTiny, "-q"});
    return Vade(arguments, input);
  }
  TemporaryFolder home_;
};

TEST_F(GenerateTest, TheSameSeedTheSameText) {
  const Finished one = Generate({"-p", "hello", "-n", "24", "--seed", "5"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(Generate({"-p", "hello", "-n", "24", "--seed", "5"}).out, one.out);
  EXPECT_NE(Generate({"-p", "hello", "-n", "24", "--seed", "6"}).out, one.out);
  EXPECT_EQ(Generate({"-p", "-", "-n", "24", "--seed", "5"}, "hello").out, one.out);
}

TEST_F(GenerateTest, GuessingDoesNotChangeTheText) {
  const std::string prompt = "one two three one two three one two three";
  const auto greedy = [&](const char* draft) {
    const Finished run = Generate(
        {"-p", prompt, "-n", "80", "--temperature", "0", "--raw", "--draft", draft, "--json"});
    EXPECT_EQ(run.code, 0) << run.err;
    return json::parse(run.out);
  };
  const json plain = greedy("0");
  EXPECT_EQ(plain["drafted_tokens"], 0);
  for (const char* draft : {"1", "4", "16"}) EXPECT_EQ(greedy(draft)["text"], plain["text"]);
}

TEST_F(GenerateTest, JsonHasCountsTimesAndLogprobs) {
  const Finished run =
      Generate({"-p", "hello", "-n", "6", "--json", "--logprobs", "3", "--seed", "1"});
  ASSERT_EQ(run.code, 0) << run.err;
  const json out = json::parse(run.out);
  EXPECT_EQ(out["completion_tokens"], 6);
  EXPECT_EQ(out["stop_reason"], "length");
  EXPECT_EQ(out["seed"], 1);
  EXPECT_GT(out["prompt_tokens"], 0);
  EXPECT_GT(out["timings"]["prefill_ms"], 0);
  ASSERT_EQ(out["tokens"].size(), 6u);
  EXPECT_EQ(out["tokens"][0]["top"].size(), 3u);
  EXPECT_LE(out["tokens"][0]["logprob"], 0);
}

TEST_F(GenerateTest, AGrammarHolds) {
  home_.Write("yes.gbnf", "root ::= (\"yes\" | \"no\") \"!\"");
  for (const char* seed : {"1", "2", "3"}) {
    const Finished run = Generate({"-p", "hello", "-n", "20", "--seed", seed, "--grammar-file",
                                   (home_.path() / "yes.gbnf").string()});
    EXPECT_THAT(run.out, ::testing::AnyOf("yes!\n", "no!\n")) << run.err;
  }
  home_.Write("bad.gbnf", "root ::= \"a\n");
  const Finished bad =
      Generate({"-p", "x", "--grammar-file", (home_.path() / "bad.gbnf").string()});
  EXPECT_NE(bad.code, 0);
  EXPECT_THAT(bad.err, HasSubstr("bad.gbnf"));
}

TEST_F(GenerateTest, WhatDoesNotFitIsRefusedWithNumbers) {
  const Finished run = Generate({"-p", "a b c d e f g h i j k l m n o p", "--context", "8"});
  EXPECT_NE(run.code, 0);
  EXPECT_THAT(run.err, HasSubstr("the context holds 8"));
  EXPECT_EQ(run.out, "");
}

TEST_F(GenerateTest, AnEncoderIsNoLanguageModel) {
  const Finished run =
      Vade({"generate", "-m", std::string(VADE_SOURCE_DIR) + "/tests/golden/models/bert.gguf", "-p",
            "x"});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, HasSubstr("bert"));
}

TEST_F(GenerateTest, BenchGivesTheAgreedFields) {
  const Finished run =
      Vade({"bench", "-m", kTiny, "-p", "32", "-n", "8", "-r", "3", "--threads", "2", "--json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const json out = json::parse(run.out);
  for (const char* field :
       {"prefill_tokens_per_second", "decode_tokens_per_second", "load_ms", "peak_memory_bytes"}) {
    EXPECT_GT(out[field]["min"], 0) << field;
    EXPECT_LE(out[field]["min"], out[field]["median"]) << field;
    EXPECT_LE(out[field]["median"], out[field]["max"]) << field;
  }
  EXPECT_EQ(out["threads"], 2);
  EXPECT_TRUE(out["kernels"].is_string());
}

TEST_F(GenerateTest, AnAnswerThatNothingSupportsIsARefusal) {
  home_.Write("manuals/pump.md", "# Pump P1\n\nHold the green button for 7 seconds.\n");
  ASSERT_EQ(Vade({"index", (home_.path() / "manuals").string()}).code, 0);
  const Finished run = Vade({"ask", "-m", kTiny, "--json", "How do I reset the pump?"});
  EXPECT_EQ(run.code, 8) << run.out << run.err;
  const json out = json::parse(run.out);
  EXPECT_EQ(out["refused"], true);
  EXPECT_EQ(out["answer"], "");
  EXPECT_GE(out["ledger"]["parts"].size(), 3u);
  EXPECT_EQ(out["passages"][0]["path"], "pump.md");
}

// faults.md 17: the second line needs embeddings that the file no longer has.
TEST_F(GenerateTest, AModelCutShortWhileInUse) {
  const auto model = home_.path() / "model.gguf";
  std::filesystem::copy_file(kTiny, model);
  const auto out = home_.path() / "out";
  const auto err = home_.path() / "err";
  const std::string command = VADE_BINARY_DIR "/bin/vade debug logits -m " + model.string() +
                              " > " + out.string() + " 2> " + err.string();
  FILE* vade = popen(command.c_str(), "w");
  ASSERT_NE(vade, nullptr);
  std::fputs("{\"ids\":[1,2,3]}\n", vade);
  std::fflush(vade);
  while (!std::filesystem::exists(out) || std::filesystem::file_size(out) == 0) {
    std::this_thread::yield();  // bounded by the test's own time limit
  }
  std::filesystem::resize_file(model, 4096);
  std::fputs("{\"ids\":[7,8,9]}\n", vade);
  const int status = pclose(vade);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 6);
  std::stringstream message;
  message << std::ifstream(err).rdbuf();
  EXPECT_THAT(message.str(), HasSubstr("cut short"));
}

}  // namespace
}  // namespace vade::testing
