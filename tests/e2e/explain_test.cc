// vade explain on a tiny model with random weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/process.h"

namespace vade::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kTiny =
    std::string(VADE_SOURCE_DIR) + "/tests/golden/models/llama-linear-mha.gguf";

class ExplainTest : public ::testing::Test {
 protected:
  Finished Explain(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), {"explain", "-m", kTiny, "--seed", "2"});
    return RunVade(home_.path(), arguments, {.stdin_text = input});
  }
  TemporaryFolder home_;
};

TEST_F(ExplainTest, TheTerminalGetsSixStepsInEightyColumns) {
  const Finished run = Explain({"hello out there", "-n", "3"});
  ASSERT_EQ(run.code, 0) << run.err;
  for (const char* step : {"1  Tokens", "2  Embedding", "3  Positions", "4  Attention", "5  Logits",
                           "6  Sampling and the loop"}) {
    EXPECT_THAT(run.out, HasSubstr(step));
  }
  EXPECT_THAT(run.out, Not(HasSubstr("\x1b"))) << "no colours into a pipe";
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) {
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
    EXPECT_LE(columns, 80) << line;
  }
}

TEST_F(ExplainTest, JsonHasTheChosenMapAndTheLoop) {
  const Finished run =
      Explain({"hello out there", "-n", "5", "--layer", "0", "--head", "0", "--json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const json out = json::parse(run.out);
  ASSERT_EQ(out["attention"]["layers"].size(), 1u);
  const json& rows = out["attention"]["layers"][0]["maps"][0]["weights"];
  ASSERT_EQ(rows.size(), out["tokens"].size());
  for (size_t token = 0; token < rows.size(); ++token) {
    EXPECT_EQ(rows[token].size(), token + 1);
    double sum = 0;
    for (const json& weight : rows[token]) sum += weight.get<double>();
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  EXPECT_LE(out["loop"].size(), 5u);
  EXPECT_GE(out["loop"][0]["candidates"].size(), 10u);
  EXPECT_EQ(
      Explain({"-", "-n", "5", "--layer", "0", "--head", "0", "--json"}, "hello out there").out,
      run.out);
}

TEST_F(ExplainTest, WritesAPageBesideNothingElse) {
  const std::string page = (home_.path() / "page.html").string();
  const Finished run = Explain({"<b>hi</b>", "--html", page});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, "");
  std::ifstream file(page);
  const std::string html(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(html, HasSubstr("<!doctype html>"));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;hi"));
  EXPECT_THAT(html, Not(HasSubstr("<h1><b>")));
}

TEST_F(ExplainTest, WhatDoesNotExistIsRefusedInOneLine) {
  const Finished layer = Explain({"hi", "--layer", "99"});
  EXPECT_EQ(layer.code, 2);
  EXPECT_THAT(layer.err, HasSubstr("--layer: got 99, the model has 0 to"));
  const Finished head = Explain({"hi", "--head", "99"});
  EXPECT_EQ(head.code, 2);
  std::string text;
  for (int i = 0; i < 300; ++i) text += "a b ";
  const Finished longer = Explain({text});
  EXPECT_EQ(longer.code, 3);
  EXPECT_THAT(longer.err, HasSubstr("at most 256"));
  EXPECT_EQ(longer.out, "");
  EXPECT_EQ(RunVade(home_.path(), {"explain", "hi"}).code, 2) << "-m is needed";
}

}  // namespace
}  // namespace vade::testing
