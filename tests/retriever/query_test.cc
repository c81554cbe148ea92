// Identifiers and what is not one; questions cut for the embedder.
#include "retriever/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/utf8.h"
#include "tests/support/fake_embedder.h"

namespace vade::retriever {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(IdentifierKeys, FoldsCaseAndEveryKindOfDash) {
  EXPECT_THAT(IdentifierKeys("What does E-204 mean?"), ElementsAre("e204"));
  EXPECT_THAT(IdentifierKeys("e204"), ElementsAre("e204"));
  EXPECT_THAT(IdentifierKeys("E\u2011204 and E\u2013204"), ElementsAre("e204"));
}

TEST(IdentifierKeys, FindsPartNumbersModelsAndNames) {
  EXPECT_THAT(IdentifierKeys("order 12-34567-A, or KX100B; set max_flow"),
              ElementsAre("1234567a", "kx100b", "maxflow"));
  EXPECT_THAT(IdentifierKeys("firmware v2.1."), ElementsAre("v2.1"));
}

TEST(IdentifierKeys, KoreanParticlesDoNotBelongToThem) {
  EXPECT_THAT(IdentifierKeys("E-204는 무엇인가요?"), ElementsAre("e204"));
}

TEST(IdentifierKeys, QuantitiesAreNotIdentifiers) {
  for (const char* text :
       {"8 bar", "2.4GHz", "5 GHz and 100ml", "24-hour timer", "1999-2004", "2nd", "3/4 inch",
        "10-20", "2026-11-20", "well-known", "and/or", "...", "-", "220-240V"}) {
    EXPECT_THAT(IdentifierKeys(text), IsEmpty()) << text;
  }
}

TEST(FindIdentifiers, OffsetsAreThoseOfTheSource) {
  const std::string text = "code: E-204. Next";
  const std::vector<Identifier> found = FindIdentifiers(text);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(text.substr(found[0].begin, found[0].end - found[0].begin), "E-204");
}

TEST(FindIdentifiers, SurvivesInvalidUtf8) {
  EXPECT_THAT(IdentifierKeys("\xff\xfe E-7\xc3"), ElementsAre("e7"));
}

TEST(FitToEmbedder, LeavesAShortQuestionAlone) {
  const testing::FakeEmbedder embedder;
  const FittedQuestion fitted = FitToEmbedder("how do I reset it", embedder);
  EXPECT_EQ(fitted.text, "how do I reset it");
  EXPECT_FALSE(fitted.shortened);
}

TEST(FitToEmbedder, CutsAtAWordAndSaysSo) {
  testing::FakeEmbedder embedder;
  embedder.limit = 7;
  const FittedQuestion fitted = FitToEmbedder("one two three four five six seven", embedder);
  EXPECT_TRUE(fitted.shortened);
  EXPECT_LE(embedder.CountTokens(fitted.text), 5u);
  EXPECT_TRUE(std::string_view("one two three four five").starts_with(fitted.text));
  EXPECT_GE(embedder.CountTokens(fitted.text), 4u);
}

TEST(FitToEmbedder, NeverCutsACodePoint) {
  testing::FakeEmbedder embedder;
  embedder.limit = 3;  // one word
  std::string question;
  for (int i = 0; i < 3000; ++i) question += i % 7 == 6 ? " " : "서";
  const FittedQuestion fitted = FitToEmbedder(question, embedder);
  EXPECT_TRUE(fitted.shortened);
  EXPECT_TRUE(utf8::IsValid(fitted.text));
}

}  // namespace
}  // namespace vade::retriever
