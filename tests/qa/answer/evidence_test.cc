// Each reason to doubt lowers the evidence; each reason to believe raises it.
#include "qa/answer/evidence.h"

#include <gtest/gtest.h>

#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::qa {
namespace {

EvidenceFeatures Strong() {
  EvidenceFeatures features;
  features.best_cosine = 0.7;
  features.answer_cosine = 0.75;
  features.passage_coverage = 1;
  features.answer_coverage = 0.9;
  features.dense_trust = 1;
  return features;
}

TEST(EvidenceScore, StrongIsAnsweredAndNothingIsRefused) {
  EXPECT_GT(EvidenceScore(Strong()), kEvidenceThreshold);
  EvidenceFeatures nothing;
  nothing.dense_trust = 1;
  nothing.unknown_share = 1;
  EXPECT_LT(EvidenceScore(nothing), kEvidenceThreshold);
}

TEST(EvidenceScore, EveryDoubtCounts) {
  const double strong = EvidenceScore(Strong());
  const auto weaker = [&](auto&& change) {
    EvidenceFeatures features = Strong();
    change(features);
    return EvidenceScore(features) < strong;
  };
  EXPECT_TRUE(weaker([](auto& f) { f.best_cosine = 0.3; }));
  EXPECT_TRUE(weaker([](auto& f) { f.answer_cosine = 0.3; }));
  EXPECT_TRUE(weaker([](auto& f) { f.passage_coverage = 0.4; }));
  EXPECT_TRUE(weaker([](auto& f) { f.answer_coverage = 0.2; }));
  EXPECT_TRUE(weaker([](auto& f) { f.unknown_share = 0.5; }));
  EXPECT_TRUE(weaker([](auto& f) { f.name_share = 0; }));
  EXPECT_TRUE(weaker([](auto& f) { f.value_missing = true; }));
}

TEST(EvidenceScore, AnUnknownIdentifierRefusesWhateverElseFits) {
  EvidenceFeatures features = Strong();
  features.identifier_share = 0;
  EXPECT_LT(EvidenceScore(features), kEvidenceThreshold);
}

TEST(EvidenceScore, WithoutTrustTheCosinesAreIgnored) {
  EvidenceFeatures low = Strong();
  EvidenceFeatures high = Strong();
  low.dense_trust = high.dense_trust = 0;
  low.best_cosine = low.answer_cosine = 0;
  EXPECT_DOUBLE_EQ(EvidenceScore(low), EvidenceScore(high));
  EXPECT_GT(EvidenceScore(low), kEvidenceThreshold) << "words alone can carry an answer";
}

TEST(WeighTerms, RareWordsWeighMoreAndUnknownOnesAreMarked) {
  testing::FakeStore store;
  testing::FakeEmbedder embedder;
  testing::AddDocument(store, embedder, "a.md", "A",
                       {{"1", "pump filter"}, {"2", "pump hose"}, {"3", "pump"}});
  const Question question = ReadQuestion("pump filter zebra");
  const auto weights = WeighTerms(store, question);
  ASSERT_TRUE(weights.has_value());
  EXPECT_LT(weights->idf[0], weights->idf[1]);
  EXPECT_LT(weights->idf[1], weights->idf[2]);
  EXPECT_FALSE(weights->unknown[1]);
  EXPECT_TRUE(weights->unknown[2]);
  EXPECT_DOUBLE_EQ(weights->Coverage(question, TermIndex("PUMPS, filters and a zebra")), 1);
  EXPECT_DOUBLE_EQ(weights->Coverage(question, TermIndex("nothing")), 0);
}

TEST(WeighTerms, AQuestionWithoutTermsIsCovered) {
  testing::FakeStore store;
  const Question question = ReadQuestion("???");
  const auto weights = WeighTerms(store, question);
  ASSERT_TRUE(weights.has_value());
  EXPECT_DOUBLE_EQ(weights->Coverage(question, TermIndex("x")), 1);
}

}  // namespace
}  // namespace vade::qa
