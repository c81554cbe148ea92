// The order of retrieved documents and the join with judgments.
#include "qa/eval/ranking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa::eval {
namespace {

using testing::ElementsAre;

const std::vector<Judgment> kJudgments = {{"a", 2}, {"b", 0}, {"c", -1}, {"d", 1}};

TEST(TrecOrder, ScoreThenDocumentBothDescending) {
  const std::vector<Retrieved> hits = {{"a", 1}, {"b", 2}, {"c", 1}};
  EXPECT_THAT(TrecOrder(hits, ScorePrecision::kSingle), ElementsAre(1, 2, 0));
}

TEST(TrecOrder, ScoresEqualAsFloatsTieOnlyInSinglePrecision) {
  const std::vector<Retrieved> hits = {{"a", 1.000000002}, {"b", 1.000000001}};
  EXPECT_THAT(TrecOrder(hits, ScorePrecision::kSingle), ElementsAre(1, 0));
  EXPECT_THAT(TrecOrder(hits, ScorePrecision::kDouble), ElementsAre(0, 1));
}

TEST(TrecOrder, ScoresBeyondAFloatDoNotOverflow) {
  const std::vector<Retrieved> hits = {{"a", 1e300}, {"b", -1e300}, {"c", 0}};
  EXPECT_THAT(TrecOrder(hits, ScorePrecision::kSingle), ElementsAre(0, 2, 1));
}

TEST(Rank, GradesUnjudgedAndOutsideThePool) {
  const std::vector<Retrieved> hits = {{"x", 5}, {"c", 4}, {"b", 3}, {"a", 2}};
  const Ranking ranking = Rank(hits, kJudgments, {});
  EXPECT_THAT(ranking.grades, ElementsAre(kNotInPool, kUnjudged, 0, 2));
  EXPECT_THAT(ranking.level_counts, ElementsAre(1, 1, 1));
  EXPECT_EQ(ranking.num_rel, 2);
  EXPECT_EQ(ranking.num_rel_ret, 1);
}

TEST(Rank, OptionsLevelDepthAndJudgedOnly) {
  const std::vector<Retrieved> hits = {{"x", 5}, {"d", 4}, {"b", 3}, {"a", 2}};
  RankOptions options;
  options.relevance_level = 2;
  EXPECT_EQ(Rank(hits, kJudgments, options).num_rel, 1);
  options.max_documents = 2;
  EXPECT_THAT(Rank(hits, kJudgments, options).grades, ElementsAre(kNotInPool, 1));
  options.max_documents = 3;
  options.judged_only = true;
  EXPECT_THAT(Rank(hits, kJudgments, options).grades, ElementsAre(1, 0));
}

TEST(Rank, NothingRetrieved) {
  const Ranking ranking = Rank({}, kJudgments, {});
  EXPECT_TRUE(ranking.grades.empty());
  EXPECT_EQ(ranking.num_rel, 2);
}

}  // namespace
}  // namespace vade::qa::eval
