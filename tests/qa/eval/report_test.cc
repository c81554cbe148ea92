// Scoring, comparison and the three renderings, from made-up results.
#include "qa/eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "qa/eval/html_report.h"
#include "qa/eval/report_text.h"
#include "qa/eval/runner.h"
#include "qa/eval/svg.h"

namespace vade::qa::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Id(const char* prefix, int i) { return std::string(prefix).append(std::to_string(i)); }

/// Twenty questions with one relevant document each: "good" ranks it first, "bad" second.
ReportInput Example() {
  ReportInput input;
  input.title = "made <up>";
  input.facts = {"3 documents"};
  for (const char* name : {"good", "bad"}) input.arms.push_back({name, {name, {}}, {}});
  for (int i = 0; i < 20; ++i) {
    const std::string query = Id("q", i);
    input.qrels[query] = {{"right", 1}};
    input.arms[0].run.queries[query] = {{"right", 2}, {"wrong", 1}};
    input.arms[1].run.queries[query] = {{"right", 1}, {"wrong", 2}};
    input.arms[0].latency_ms[query] = i + 1;
    Question question;
    question.id = query;
    question.text = "How & why <b>?";
    question.type = i % 2 == 0 ? "table" : "factual";
    input.questions.push_back(question);
  }
  input.document_titles["right"] = "The \"right\" one";
  for (const char* name : {"nDCG@10", "RR"}) input.measures.push_back(*ParseMeasure(name));
  return input;
}

TEST(Report, ScoresComparesAndBreaksDown) {
  const auto report = MakeReport(Example());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_DOUBLE_EQ(report->arms[0].means[1], 1.0);
  EXPECT_DOUBLE_EQ(report->arms[1].means[1], 0.5);
  EXPECT_DOUBLE_EQ(report->arms[0].latency_p50_ms, 10.5);
  EXPECT_DOUBLE_EQ(report->arms[1].recall_at[0], 0);
  EXPECT_DOUBLE_EQ(report->arms[1].recall_at[1], 1);
  ASSERT_EQ(report->comparisons.size(), 1U);
  EXPECT_EQ(report->comparisons[0].losses, 20U);
  EXPECT_DOUBLE_EQ(report->comparisons[0].t_tests[1].mean_difference, -0.5);
  EXPECT_LT(report->comparisons[0].randomization[1].p, 0.001);
  EXPECT_EQ(report->Beats(0, 0), "b");
  EXPECT_EQ(report->Beats(1, 0), "");
  EXPECT_TRUE(report->IsBest(0, 0));
  EXPECT_FALSE(report->IsBest(1, 0));
  ASSERT_EQ(report->breakdowns.size(), 2U);  // two types; one language is no breakdown
  EXPECT_EQ(report->breakdowns[0].group, "type: factual");
  EXPECT_EQ(report->breakdowns[0].questions, 10U);
}

TEST(Report, MissingAndUnjudgedQuestionsAreTold) {
  ReportInput input = Example();
  input.arms[1].run.queries.erase("q3");
  input.arms[1].run.queries["zz"] = {{"right", 1}};
  input.qrels["q5"] = {{"right", 0}};
  const auto report = MakeReport(std::move(input));
  ASSERT_TRUE(report);
  EXPECT_DOUBLE_EQ(report->arms[1].means[1], 0.5 * 18 / 20);
  EXPECT_THAT(report->input.warnings, testing::UnorderedElementsAre(
                                          HasSubstr("bad: 1 judged queries are missing"),
                                          HasSubstr("bad: 1 queries of the run have no judgments"),
                                          HasSubstr("1 judged queries have no relevant document")));
}

TEST(Report, NothingToEvaluateIsAnError) {
  ReportInput input = Example();
  input.arms[0].run.queries = {{"other", {{"right", 1}}}};
  EXPECT_THAT(MakeReport(input).error().message, HasSubstr("run good has none of the judged"));
  input.arms.clear();
  EXPECT_FALSE(MakeReport(input));
  input = Example();
  input.qrels.clear();
  EXPECT_FALSE(MakeReport(input));
}

TEST(Report, RefusalsAndTheirCurve) {
  ReportInput input = Example();
  input.evidence_threshold = 0.5;
  for (int i = 0; i < 20; ++i) {
    input.questions[static_cast<size_t>(i)].answerable = i < 10;
    AnswerOutcome outcome;
    outcome.evidence.score = i < 8 ? 0.9 : 0.1;  // two answerable questions look unanswerable
    outcome.refused = outcome.evidence.score < 0.5;
    if (i < 8) outcome.contains = i < 6;
    input.answers[Id("q", i)] = outcome;
  }
  const auto report = MakeReport(std::move(input));
  ASSERT_TRUE(report && report->refusal);
  EXPECT_EQ(report->refusal->answerable_refused, 2U);
  EXPECT_EQ(report->refusal->unanswerable_refused, 10U);
  EXPECT_DOUBLE_EQ(report->refusal->precision, 10.0 / 12);
  EXPECT_DOUBLE_EQ(report->refusal->recall, 1.0);
  EXPECT_EQ(report->refusal->checked, 8U);
  EXPECT_EQ(report->refusal->correct, 6U);
  ASSERT_FALSE(report->refusal->curve.empty());
  EXPECT_DOUBLE_EQ(report->refusal->curve.back().precision, 0.5);  // everything refused
}

TEST(FormatTable, ShowsBestLettersAndPValues) {
  const auto report = MakeReport(Example());
  const std::string table = FormatTable(*report, false);
  EXPECT_THAT(table, HasSubstr("made <up>: 20 judged questions, 3 documents"));
  EXPECT_THAT(table, HasSubstr("1.0000*b"));
  EXPECT_THAT(table, HasSubstr("bad - good"));
  EXPECT_THAT(table, HasSubstr("-0.5000"));
  EXPECT_THAT(table, HasSubstr("<0.001"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  EXPECT_THAT(FormatTable(*report, true), HasSubstr("\x1b[1m1.0000*b\x1b[0m"));
}

TEST(FormatJson, HoldsEverything) {
  const auto json = nlohmann::json::parse(FormatJson(*MakeReport(Example())));
  EXPECT_EQ(json["judged_questions"], 20);
  EXPECT_EQ(json["arms"][0]["measures"]["RR"]["mean"], 1.0);
  EXPECT_EQ(json["comparisons"][0]["against"], "good");
  EXPECT_EQ(json["questions"][0]["values"]["bad"]["RR"], 0.5);
  EXPECT_TRUE(json["comparisons"][0]["measures"]["RR"]["t"].is_null());  // infinite
}

TEST(FormatJson, BytesThatAreNotUtf8AreReplaced) {
  ReportInput input = Example();
  input.questions[0].text = "\xff\xfe";
  const auto parsed =
      nlohmann::json::parse(FormatJson(*MakeReport(std::move(input))), nullptr, false);
  EXPECT_FALSE(parsed.is_discarded());
}

TEST(FormatHtml, EscapesAndIsSelfContained) {
  ReportInput input = Example();
  input.lost = {{"q1", "right", LossStage::kFusionCut, 1, 0, 20},
                {"q2", "right", LossStage::kFound, 1, 1, 1}};
  AnswerOutcome outcome;
  input.answers["q1"] = outcome;
  const std::string html = FormatHtml(*MakeReport(std::move(input)));
  EXPECT_THAT(html, HasSubstr("<title>made &lt;up&gt; - vade eval</title>"));
  EXPECT_THAT(html, HasSubstr("How &amp; why &lt;b&gt;?"));
  EXPECT_THAT(html, HasSubstr("The &quot;right&quot; one"));
  EXPECT_THAT(html, HasSubstr("cut by fusion"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("http")));  // loads nothing from anywhere
  for (const char* bad : {"\"nan", "\"-nan", ",nan", ",-nan", ">nan", ">-nan", " nan"}) {
    EXPECT_THAT(html, Not(HasSubstr(bad)));
  }
  size_t opened = 0;
  size_t closed = 0;
  for (size_t at = 0; (at = html.find("<svg", at)) != std::string::npos; ++at) ++opened;
  for (size_t at = 0; (at = html.find("</svg>", at)) != std::string::npos; ++at) ++closed;
  EXPECT_EQ(opened, closed);
  EXPECT_GE(opened, 6U);
}

TEST(Svg, EmptyInputDrawsAFrame) {
  EXPECT_THAT(svg::Lines({}, "x", "y", true), HasSubstr("</svg>"));
  EXPECT_THAT(svg::Differences({}), HasSubstr("</svg>"));
  EXPECT_THAT(svg::GroupedBars({}, {}, {}), HasSubstr("</svg>"));
  EXPECT_THAT(svg::Histogram({"a"}, {{}}, "ms"), HasSubstr("</svg>"));
  EXPECT_THAT(svg::Histogram({"a"}, {{0, 0}}, "ms"), Not(HasSubstr("nan")));
}

TEST(FindLost, NamesTheStage) {
  const Qrels qrels = {{"q", {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"n", 0}}}};
  const auto run = [](std::vector<Retrieved> hits) {
    return eval::Run{"t", {{"q", std::move(hits)}}};
  };
  const auto lost = FindLost(qrels, run({{"a", 9}, {"b", 8}, {"x", 7}, {"c", 6}}), run({{"y", 9}}),
                             run({{"a", 9}, {"x", 8}, {"b", 7}, {"c", 6}}), 2,
                             [](std::string_view doc) { return doc != "e"; });
  ASSERT_EQ(lost.size(), 5U);  // "n" is not relevant
  EXPECT_EQ(lost[0].stage, LossStage::kFound);
  EXPECT_EQ(lost[1].stage, LossStage::kFusionCut);
  EXPECT_EQ(lost[1].lexical_rank, 2U);
  EXPECT_EQ(lost[1].final_rank, 3U);
  EXPECT_EQ(lost[2].stage, LossStage::kRankedLow);
  EXPECT_EQ(lost[3].stage, LossStage::kBothMissed);
  EXPECT_EQ(lost[4].stage, LossStage::kNotIndexed);
}

TEST(ContainsAll, AnyAlternativeOfEachFoldedForCaseAndSpace) {
  EXPECT_TRUE(ContainsAll("Torque:  1.5\nNm, then DONE", {"1.5 Nm", "finished|done"}));
  EXPECT_FALSE(ContainsAll("Torque: 1.5 Nm", {"1.5 Nm", "done"}));
  EXPECT_TRUE(ContainsAll("anything", {}));
}

}  // namespace
}  // namespace vade::qa::eval
