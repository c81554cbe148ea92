// TREC and BEIR text: what is accepted, and the message for what is not.
#include "qa/eval/trec_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vade::qa::eval {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(TrecQrels, ReadsAnyWhiteSpaceCommentsByteOrderMarkAndCarriageReturns) {
  const auto qrels =
      ParseTrecQrels("\xEF\xBB\xBF# comment\nq1 0 d2 1\r\n\n  q1\t0\td1\t-1  \nq2 x d1 +3", "f");
  ASSERT_TRUE(qrels) << qrels.error().message;
  ASSERT_EQ(qrels->size(), 2U);
  const auto& q1 = qrels->at("q1");
  ASSERT_EQ(q1.size(), 2U);
  EXPECT_EQ(q1[0].doc, "d1");  // sorted by document
  EXPECT_EQ(q1[0].grade, -1);
  EXPECT_EQ(qrels->at("q2")[0].grade, 3);
}

struct Bad {
  const char* text;
  const char* message;
};

class BadQrels : public testing::TestWithParam<Bad> {};
TEST_P(BadQrels, NameTheLine) {
  const auto qrels = ParseTrecQrels(GetParam().text, "f.qrels");
  ASSERT_FALSE(qrels);
  EXPECT_EQ(qrels.error().code, ErrorCode::kCorruptData);
  EXPECT_THAT(qrels.error().message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadQrels,
    testing::Values(Bad{"", "no relevance judgments"}, Bad{"\n\n# only\n", "no relevance"},
                    Bad{"q1 0 d1 1\nq1 0 d2", "f.qrels:2: got 3 fields, want 4"},
                    Bad{"q1 0 d1 1 extra", "got more than 4 fields"},
                    Bad{"q1 0 d1 one", "f.qrels:1: relevance 'one', want a whole number"},
                    Bad{"q1 0 d1 1.5", "relevance '1.5'"}, Bad{"q1 0 d1 128", "relevance '128'"},
                    Bad{"q1 0 d1 99999999999999999999", "relevance"},
                    Bad{"q1 0 d1 1\nq2 0 d1 1\nq1 0 d1 0", "'d1' is judged twice for query 'q1'"}));

TEST(TrecRun, IgnoresRanksAndWhatFollowsTheTag) {
  const auto run = ParseTrecRun("q1 Q0 d1 99 1e-05 tag more words\nq1 Q0 d2 1 +2.5 tag\n", "f");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->tag, "tag");
  ASSERT_EQ(run->queries.at("q1").size(), 2U);
  EXPECT_DOUBLE_EQ(run->queries.at("q1")[0].score, 1e-05);
  EXPECT_DOUBLE_EQ(run->queries.at("q1")[1].score, 2.5);
}

TEST(TrecRun, AScoreTooSmallForADoubleIsZero) {
  const auto run = ParseTrecRun("q1 Q0 d1 1 1e-400 t", "f");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->queries.at("q1")[0].score, 0.0);
}

class BadRun : public testing::TestWithParam<Bad> {};
TEST_P(BadRun, NameTheLine) {
  const auto run = ParseTrecRun(GetParam().text, "f.run");
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadRun,
    testing::Values(Bad{"", "the run is empty"}, Bad{"q1 Q0 d1 1 2.5", "f.run:1: got 5 fields"},
                    Bad{"q1 Q0 d1 1 high t", "score 'high'"},
                    Bad{"q1 Q0 d1 1 nan t", "score 'nan'"}, Bad{"q1 Q0 d1 1 inf t", "score 'inf'"},
                    Bad{"q1 Q0 d1 1 1e999 t", "score"}, Bad{"q1 Q0 d1 1 1x t", "score '1x'"},
                    Bad{"q Q0 d 1 2 t\nq Q0 d 2 1 t", "'d' is retrieved twice for query 'q'"}));

TEST(TrecRun, LongFieldsAreCutInMessages) {
  const auto run = ParseTrecRun("q Q0 d 1 " + std::string(1 << 20, 'x') + " t", "f");
  ASSERT_FALSE(run);
  EXPECT_LT(run.error().message.size(), 200U);
}

TEST(BeirQrels, SeparatesByTabsOnlySoThatIdsMayHoldSpaces) {
  const auto qrels =
      ParseBeirQrels("query-id\tcorpus-id\tscore\nq1\ta.md#Set up > Reset\t2\r\n", "f");
  ASSERT_TRUE(qrels) << qrels.error().message;
  EXPECT_EQ(qrels->at("q1")[0].doc, "a.md#Set up > Reset");
  EXPECT_EQ(qrels->at("q1")[0].grade, 2);
}

TEST(BeirQrels, SpacesInsteadOfTabsAreAnError) {
  const auto qrels = ParseBeirQrels("query-id\tcorpus-id\tscore\nq1 d1 1\n", "f");
  ASSERT_FALSE(qrels);
  EXPECT_THAT(qrels.error().message, StartsWith("f:2: want 3 fields separated by tabs"));
}

TEST(BeirQrels, AnEmptyScoreIsAnError) {
  EXPECT_FALSE(ParseBeirQrels("query-id\tcorpus-id\tscore\nq1\td1\t\n", "f"));
}

TEST(FormatTrecRun, WritesRanksFromOneInTrecOrder) {
  eval::Run run{"mine", {{"q1", {{"a", 1.0}, {"b", 1.0}, {"c", 2.5}}}}};
  const auto text = FormatTrecRun(run);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "q1 Q0 c 1 2.5 mine\nq1 Q0 b 2 1 mine\nq1 Q0 a 3 1 mine\n");
}

TEST(FormatTrecRun, ReadsBackWithTheSameFloats) {
  eval::Run run{"t", {{"q", {}}}};
  for (int i = 0; i < 100; ++i)
    run.queries["q"].push_back({std::string("d").append(std::to_string(i)), 1.0 / (3 + i)});
  const auto again = ParseTrecRun(*FormatTrecRun(run), "f");
  ASSERT_TRUE(again);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(static_cast<float>(again->queries.at("q")[i].score),
              static_cast<float>(run.queries.at("q")[i].score));
  }
}

TEST(FormatTrecRun, RefusesIdsThatWouldSplit) {
  const auto text = FormatTrecRun(eval::Run{"t", {{"q", {{"a b", 1}}}}});
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("'a b'"));
  EXPECT_FALSE(FormatTrecRun(eval::Run{"t", {{"", {{"a", 1}}}}}));
}

TEST(Load, TellsTheFormsApart) {
  const auto folder = std::filesystem::temp_directory_path() / "vade_eval_load_test";
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(folder / name) << text;
    return folder / name;
  };
  EXPECT_EQ(LoadQrels(write("a", " {\"q\": {\"d\": 1}}"))->at("q")[0].grade, 1);
  EXPECT_EQ(LoadQrels(write("b", "query-id\tcorpus-id\tscore\nq\td\t2\n"))->at("q")[0].grade, 2);
  EXPECT_EQ(LoadQrels(write("c", "q 0 d 3\n"))->at("q")[0].grade, 3);
  const auto run = LoadRun(write("mine.json", "{\"q\": {\"d\": 0.5}}"));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->tag, "mine");
  const auto missing = LoadQrels(folder / "no_such_file");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vade::qa::eval
