// Fusion: both arms count, a silent arm changes nothing, order is total.
#include "retriever/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::retriever {
namespace {

using ::testing::ElementsAre;
using vectorstore::Hit;

std::vector<vectorstore::ChunkId> Order(std::vector<Candidate> candidates) {
  SortByScore(candidates);
  std::vector<vectorstore::ChunkId> ids;
  for (const Candidate& candidate : candidates) ids.push_back(candidate.chunk);
  return ids;
}

const std::vector<Hit> kLexical = {{1, 10, 12.0F, 12.0F}, {2, 10, 9.0F, 9.0F}, {3, 11, 2.0F, 2.0F}};
const std::vector<Hit> kDense = {{4, 12, 0.8F, 0.8F}, {2, 10, 0.7F, 0.7F}, {1, 10, 0.1F, 0.1F}};

TEST(Unite, KeepsRankAndScoreOfEachArm) {
  const std::vector<Candidate> candidates = Unite(kLexical, kDense);
  ASSERT_EQ(candidates.size(), 4u);
  EXPECT_EQ(candidates[1].chunk, 2);
  EXPECT_EQ(candidates[1].lexical->rank, 2u);
  EXPECT_EQ(candidates[1].dense->rank, 2u);
  EXPECT_FLOAT_EQ(static_cast<float>(candidates[1].dense->score), 0.7F);
  EXPECT_FALSE(candidates[2].dense.has_value());
  EXPECT_FALSE(candidates[3].lexical.has_value());
  EXPECT_EQ(candidates[3].document, 12);
}

TEST(Unite, APassageCountsWithItsOwnWordsOnly) {
  const std::vector<Hit> hits = {{1, 10, 12.0F, 3.0F}};
  EXPECT_DOUBLE_EQ(Unite(hits, {}, LexicalPart::kPassageOnly)[0].words, 3);
  EXPECT_DOUBLE_EQ(Unite(hits, {}, LexicalPart::kWithDocument)[0].words, 12);
}

TEST(FuseScores, AgreementWins) {
  std::vector<Candidate> candidates = Unite(kLexical, kDense);
  FuseScores(candidates, 0.5);
  EXPECT_EQ(Order(candidates).front(), 2);
}

TEST(FuseScores, WithoutTrustInTheDenseArmTheLexicalOrderStays) {
  std::vector<Candidate> candidates = Unite(kLexical, kDense);
  FuseScores(candidates, 0);
  EXPECT_THAT(Order(candidates), ElementsAre(1, 2, 3, 4));
}

TEST(FuseScores, ScoresLieBetween0And1) {
  std::vector<Candidate> candidates = Unite(kLexical, {{1, 10, -0.4F, -0.4F}});
  FuseScores(candidates, 0.5);
  for (const Candidate& candidate : candidates) {
    EXPECT_GE(candidate.score, 0);
    EXPECT_LE(candidate.score, 1);
  }
}

TEST(FuseScores, EmptyArmsAreNoError) {
  std::vector<Candidate> candidates = Unite({}, {});
  FuseScores(candidates, 0.5);
  EXPECT_TRUE(candidates.empty());
}

TEST(SortByScore, TiesGoToTheLowerChunk) {
  std::vector<Candidate> candidates =
      Unite({{7, 1, 1.0F, 1.0F}, {3, 1, 1.0F, 1.0F}, {5, 1, 1.0F, 1.0F}}, {});
  FuseScores(candidates, 0);
  EXPECT_THAT(Order(candidates), ElementsAre(3, 5, 7));
}

}  // namespace
}  // namespace vade::retriever
