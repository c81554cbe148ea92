// Measures by name, against values worked out by hand.
#include "qa/eval/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace vade::qa::eval {
namespace {

// Ranks: 1 not in the pool, 2 grade 2, 3 grade 0, 4 grade 1. Judged: grades 0, 1, 1, 2.
Ranking Example() {
  Ranking ranking;
  ranking.grades = {kNotInPool, 2, 0, 1};
  ranking.level_counts = {1, 2, 1};
  ranking.num_rel = 3;
  ranking.num_rel_ret = 2;
  return ranking;
}

double Value(std::string_view name) {
  const auto measure = ParseMeasure(name);
  return measure ? measure->compute(Example()) : std::nan("");
}

TEST(Measure, ValuesByHand) {
  const double ideal = 2 + 1 / std::log2(3) + 1 / std::log2(4);
  EXPECT_NEAR(Value("nDCG@10"), (2 / std::log2(3) + 1 / std::log2(5)) / ideal, 1e-12);
  EXPECT_NEAR(Value("nDCG@2"), (2 / std::log2(3)) / (2 + 1 / std::log2(3)), 1e-12);
  EXPECT_NEAR(Value("ndcg_burges@10"),
              (3 / std::log2(3) + 1 / std::log2(5)) / (3 + 1 / std::log2(3) + 1 / std::log2(4)),
              1e-12);
  EXPECT_NEAR(Value("AP"), (1.0 / 2 + 2.0 / 4) / 3, 1e-12);
  EXPECT_NEAR(Value("AP@3"), (1.0 / 2) / 3, 1e-12);
  EXPECT_DOUBLE_EQ(Value("RR"), 0.5);
  EXPECT_DOUBLE_EQ(Value("RR@2"), 0.5);
  EXPECT_DOUBLE_EQ(Value("RR@1"), 0.0);
  EXPECT_DOUBLE_EQ(Value("P@2"), 0.5);
  EXPECT_DOUBLE_EQ(Value("P@10"), 0.2);
  EXPECT_DOUBLE_EQ(Value("P(rel=2)@10"), 0.1);
  EXPECT_NEAR(Value("R@4"), 2.0 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(Value("R(rel=2)@4"), 1.0);
  EXPECT_NEAR(Value("f1@4"), 2 * 0.5 * (2.0 / 3) / (0.5 + 2.0 / 3), 1e-12);
  EXPECT_DOUBLE_EQ(Value("Success@1"), 0.0);
  EXPECT_DOUBLE_EQ(Value("Success@2"), 1.0);
  EXPECT_DOUBLE_EQ(Value("Judged@4"), 0.75);
  EXPECT_DOUBLE_EQ(Value("Judged@100"), 0.75);
  EXPECT_NEAR(Value("RBP(p=0.8)"), 0.2 * (0.8 + 0.8 * 0.8 * 0.8), 1e-12);
  EXPECT_NEAR(Value("RBP(p=0.5)@2"), 0.25, 1e-12);
  EXPECT_NEAR(Value("Rprec"), 1.0 / 3, 1e-12);
}

TEST(Measure, AliasesHaveOneCanonicalName) {
  const std::pair<const char*, const char*> cases[] = {
      {"ndcg@10", "nDCG@10"},
      {"ndcg_cut_10", "nDCG@10"},
      {"ndcg_cut.10", "nDCG@10"},
      {"map", "AP"},
      {"mrr@10", "RR@10"},
      {"recip_rank", "RR"},
      {"P_5", "P@5"},
      {"recall_100", "R@100"},
      {"hit_rate@5", "Success@5"},
      {"rbp.95", "RBP(p=0.95)"},
      {"RBP", "RBP(p=0.8)"},
      {"r_precision", "Rprec"},
      {"bpref", "Bpref"},
      {"infAP", "infAP"},
      {"P(rel=2)@10", "P(rel=2)@10"},
      {"map_cut_10", "AP@10"},
      {"precision@1", "P@1"},
  };
  for (const auto& [alias, name] : cases) {
    const auto measure = ParseMeasure(alias);
    ASSERT_TRUE(measure) << alias << ": " << measure.error().message;
    EXPECT_EQ(measure->name, name) << alias;
  }
}

TEST(Measure, UnknownOrIncompleteNamesAreRefused) {
  for (const char* name : {"",           "@",
                           "@10",        "nDCG@",
                           "nDCG@x",     "nDCG@-1",
                           "nDCG@0",     "P",
                           "R",          "Success",
                           "Rprec@5",    "nope@10",
                           "RBP(p=2)",   "RBP(p=x)",
                           "P(rel=0)@5", "P(rel=2@5",
                           "P()x@5",     "rbp.",
                           "nDCG@10@10", "_5",
                           ".5",         "P@99999999999999999999999"}) {
    const auto measure = ParseMeasure(name);
    ASSERT_FALSE(measure) << name;
    EXPECT_EQ(measure.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Measure, NothingRetrievedOrNothingRelevantIsZero) {
  for (const Measure& measure : DefaultMeasures()) {
    EXPECT_EQ(measure.compute(Ranking{}), 0.0) << measure.name;
    Ranking no_relevant;
    no_relevant.grades = {0, kNotInPool};
    no_relevant.level_counts = {2};
    EXPECT_EQ(measure.compute(no_relevant), 0.0) << measure.name;
  }
}

}  // namespace
}  // namespace vade::qa::eval
