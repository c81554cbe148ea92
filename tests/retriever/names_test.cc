// Documents named by the question, and identifiers that decide.
#include "retriever/names.h"

#include <gtest/gtest.h>

#include "retriever/retriever.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::retriever {
namespace {

const std::vector<DocumentName> kNames = {
    {1, "AquaLift P200 user manual", "pumps/aqualift-p200.pdf"},
    {2, "AquaLift P350 user manual", "pumps/aqualift-p350.pdf"},
    {3, "Solvara S2 user manual", "solvara-s2.pdf"}};

TEST(TitleMatch, TheModelNumberTellsTwoModelsApart) {
  const std::vector<double> match = TitleMatch("How do I prime the AquaLift P350?", kNames);
  EXPECT_GT(match[1], match[0]);
  EXPECT_GT(match[0], match[2]);
  EXPECT_DOUBLE_EQ(match[1], 1);
  EXPECT_DOUBLE_EQ(match[2], 0);
}

TEST(TitleMatch, AWordEveryTitleHasSaysNothing) {
  for (const double match : TitleMatch("Where is the user manual?", kNames)) {
    EXPECT_DOUBLE_EQ(match, 0);
  }
}

TEST(TitleMatch, TheFileNameCountsTooAndFolderNamesDoNot) {
  const std::vector<DocumentName> names = {{1, "Manual", "S2/guide-x1.pdf"},
                                           {2, "Manual", "b.pdf"}};
  EXPECT_DOUBLE_EQ(TitleMatch("guide", names)[0], 1);
  EXPECT_DOUBLE_EQ(TitleMatch("S2", names)[0], 0);
}

TEST(TitleMatch, NoNamesNoMatch) { EXPECT_TRUE(TitleMatch("anything", {}).empty()); }

TEST(NamingWords, AreTheWordsOfTheNamesInTheQuestion) {
  EXPECT_EQ(NamingWords("How do I prime the AquaLift P350?", kNames), "AquaLift P350 ");
  EXPECT_EQ(NamingWords("How do I prime it?", kNames), "");
}

TEST(LocatingIdentifiers, LeaveOutTheNamesOfDocuments) {
  EXPECT_EQ(LocatingIdentifiers({"p350", "e204"}, kNames), std::vector<std::string>{"e204"});
}

TEST(AddNameCredit, EveryPassageOfTheNamedDocumentEarnsTheSame) {
  std::vector<Candidate> candidates =
      Unite({{1, 1, 9.0F, 9.0F}, {2, 1, 2.0F, 2.0F}, {3, 2, 2.0F, 2.0F}}, {});
  AddNameCredit("AquaLift P200", kNames, {{1, 1, 6.0F, 6.0F}, {3, 2, 1.0F, 1.0F}},
                LexicalPart::kWithDocument, candidates);
  EXPECT_DOUBLE_EQ(candidates[0].name_credit, 0) << "it has the name itself";
  EXPECT_DOUBLE_EQ(candidates[1].name_credit, 6);
  EXPECT_LT(candidates[2].name_credit, 6) << "another model shares half of the name";
}

class IdentifierBonus : public ::testing::Test {
 protected:
  IdentifierBonus() {
    testing::AddDocument(store_, embedder_, "a.md", "Pump A",
                         {{"Errors", "E-204 | Low flow | Clean the inlet"},
                          {"Errors", "E-2041 | Sensor | Call service"},
                          {"Care", "Clean the inlet every month."}});
  }

  std::vector<Candidate> Ask(const std::string& key, std::vector<vectorstore::Hit> hits) {
    std::vector<Candidate> candidates = Unite({{3, 1, 9.0F, 9.0F}}, {});
    FuseScores(candidates, 0);
    DocumentCache documents(&store_);
    EXPECT_TRUE(AddIdentifierBonus(store_, {key}, hits, documents, candidates).has_value());
    SortByScore(candidates);
    return candidates;
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
};

TEST_F(IdentifierBonus, AnExactHolderBeatsTheBestWords) {
  const std::vector<Candidate> ranked = Ask("e204", {{1, 1, 5.0F, 5.0F}, {2, 1, 4.0F, 4.0F}});
  ASSERT_EQ(ranked.size(), 3u);
  EXPECT_EQ(ranked[0].chunk, 1);
  EXPECT_GT(ranked[0].identifier_bonus, 0);
}

TEST_F(IdentifierBonus, APrefixIsNotAMatch) {
  for (const Candidate& candidate : Ask("e204", {{1, 1, 5.0F, 5.0F}, {2, 1, 4.0F, 4.0F}})) {
    if (candidate.chunk == 2) {
      EXPECT_EQ(candidate.identifier_bonus, 0);
    }
  }
}

TEST_F(IdentifierBonus, NobodyHoldsItNobodyGains) {
  for (const Candidate& candidate : Ask("e999", {})) EXPECT_EQ(candidate.identifier_bonus, 0);
}

}  // namespace
}  // namespace vade::retriever
