// What `-m` arguments mean.
#include "qa/eval/trec_measures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qa/eval/trec_report.h"

namespace vade::qa::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const std::vector<std::string>& arguments) {
  const auto measures = ParseTrecMeasures(arguments);
  if (!measures) return {measures.error().message};
  std::vector<std::string> names;
  for (const auto& measure : *measures) {
    names.insert(names.end(), measure.names.begin(), measure.names.end());
  }
  return names;
}

TEST(TrecMeasures, TableOrderWhateverTheArguments) {
  EXPECT_THAT(Names({"success.1", "P.10,5", "map"}),
              ElementsAre("map", "P_5", "P_10", "success_1"));
}

TEST(TrecMeasures, ParametersOfOneMeasureAreUnited) {
  EXPECT_THAT(Names({"P.5", "P.10", "P.5"}), ElementsAre("P_5", "P_10"));
}

TEST(TrecMeasures, FractionsAndTextAreNamedAsTrecEvalDoes) {
  EXPECT_THAT(Names({"iprec_at_recall.0.25,.5"}),
              ElementsAre("iprec_at_recall_0.25", "iprec_at_recall_0.50"));
  EXPECT_THAT(Names({"ndcg.1=3.5,2=9"}), ElementsAre("ndcg_1=3.5,2=9"));
  EXPECT_THAT(Names({"relstring.5"}), ElementsAre("relstring_5"));
}

TEST(TrecMeasures, BadArgumentsAreRefused) {
  for (const char* argument :
       {"", "nope", "P.", "P.0", "P.-5", "P.1.5", "P.x", "map.5", "P.5,,10", "ndcg.1", "ndcg.1=x",
        "ndcg.1.5=2", "utility.1,2", "P.1e300", "ndcg.1=nan", "P.nan"}) {
    EXPECT_FALSE(ParseTrecMeasures(std::vector<std::string>{argument})) << argument;
  }
}

TEST(TrecMeasures, GainsReplaceGrades) {
  const Qrels qrels = {{"q", {{"a", 1}, {"b", 2}}}};
  const eval::Run run{"t", {{"q", {{"a", 2}, {"b", 1}}}}};
  const auto value = [&](const std::string& argument) {
    return *TrecReport(qrels, run, *ParseTrecMeasures(std::vector<std::string>{argument}), {});
  };
  EXPECT_THAT(value("ndcg"), HasSubstr("\t0.8597\n"));
  EXPECT_THAT(value("ndcg.1=1,2=1"), HasSubstr("\t1.0000\n"));
  EXPECT_THAT(value("ndcg.1=5"), HasSubstr("\t1.0000\n"));
}

TEST(TrecReport, NoQueryInCommonIsAnError) {
  const Qrels qrels = {{"q1", {{"a", 1}}}};
  const eval::Run run{"t", {{"other", {{"a", 2}}}}};
  const auto report = TrecReport(qrels, run, *ParseTrecMeasures({}), {});
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("first query is 'other'"));
}

TEST(TrecReport, NoSummaryAndUtilityWithCollectionSize) {
  const Qrels qrels = {{"q1", {{"a", 1}}}};
  const eval::Run run{"t", {{"q1", {{"a", 2}, {"b", 1}}}}};
  TrecOptions options;
  options.per_query = true;
  options.summary = false;
  const std::vector<std::string> arguments = {"utility.1,-1,0,0.5"};
  const auto measures = ParseTrecMeasures(arguments, 10);
  EXPECT_EQ(*TrecReport(qrels, run, *measures, options), "utility_1,-1,0,0.5    \tq1\t4.0000\n");
}

}  // namespace
}  // namespace vade::qa::eval
