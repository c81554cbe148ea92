// Judgments and runs as JSON objects of objects.
#include "qa/eval/json_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vade::qa::eval {
namespace {

using testing::HasSubstr;

TEST(JsonQrels, ReadsADictOfDicts) {
  const auto qrels = ParseJsonQrels(R"({"q1": {"b": 1, "a": 2.0}, "q2": {"c": 0}})", "f");
  ASSERT_TRUE(qrels) << qrels.error().message;
  ASSERT_EQ(qrels->at("q1").size(), 2U);
  EXPECT_EQ(qrels->at("q1")[0].doc, "a");
  EXPECT_EQ(qrels->at("q1")[0].grade, 2);
}

TEST(JsonRun, ReadsScores) {
  const auto run = ParseJsonRun(R"({"q": {"a": -0.25, "b": 3}, "empty": {}})", "f");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_DOUBLE_EQ(run->queries.at("q")[0].score, -0.25);
  EXPECT_TRUE(run->queries.at("empty").empty());
}

struct Bad {
  std::string text;
  const char* message;
};

class BadJson : public testing::TestWithParam<Bad> {};
TEST_P(BadJson, SaysWhat) {
  const auto run = ParseJsonRun(GetParam().text, "f.json");
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kCorruptData);
  EXPECT_THAT(run.error().message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadJson,
    testing::Values(Bad{"{", "not valid JSON at byte"}, Bad{"", "not valid JSON"},
                    Bad{"{}", "no queries"}, Bad{R"({"q": 1})", "got a number"},
                    Bad{R"({"q": {"d": "1"}})", "got a string"},
                    Bad{R"({"q": {"d": null}})", "got null"}, Bad{R"([1])", "got an array"},
                    Bad{R"({"q": {"d": {"x": 1}}})", "got an object"},
                    Bad{R"({"q": {"d": 1, "d": 2}})", "'d' occurs twice"},
                    Bad{R"({"q": {}, "q": {}})", "'q' occurs twice"},
                    Bad{R"({"q": {"d": 1e999}})", "not valid JSON"},
                    Bad{R"({"q": {"d": 1}} trailing)", "not valid JSON"},
                    Bad{std::string(1 << 20, '['), "got an array"},
                    Bad{"{\"q\":" + std::string(1 << 20, '{'), "not valid JSON"}));

TEST(JsonQrels, RefusesGradesThatAreNotGrades) {
  EXPECT_FALSE(ParseJsonQrels(R"({"q": {"d": 0.5}})", "f"));
  EXPECT_FALSE(ParseJsonQrels(R"({"q": {"d": 1000}})", "f"));
}

}  // namespace
}  // namespace vade::qa::eval
