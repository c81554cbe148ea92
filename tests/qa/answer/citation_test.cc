// A citation is proven on the pages it names, or it is none.
#include "qa/answer/citation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::qa {
namespace {

TEST(FindQuote, ExactAfterNfkcAndWhiteSpaceFolding) {
  EXPECT_EQ(FindQuote("wait 30\u00A0s", "Then  wait\n30 s and go on."), QuoteMatch::kExact);
  EXPECT_EQ(FindQuote("\uFB01lter", "the filter"), QuoteMatch::kExact) << "a ligature";
  EXPECT_EQ(FindQuote("\u1112\u1161\u11AB", "한글"), QuoteMatch::kExact) << "decomposed Hangul";
}

TEST(FindQuote, CaseAndNumbersMatter) {
  EXPECT_EQ(FindQuote("Wait 30 s", "wait 30 s"), QuoteMatch::kAbsent);
  EXPECT_EQ(FindQuote("wait 31 s", "wait 30 s"), QuoteMatch::kAbsent);
}

TEST(FindQuote, OneWrongWordInTenIsFuzzy) {
  const std::string page = "Before a b c d e f g h i j k after";
  EXPECT_EQ(FindQuote("a b c d X f g h i j k", page), QuoteMatch::kFuzzy);
  EXPECT_EQ(FindQuote("a b X d Y f g Z i j k", page), QuoteMatch::kAbsent);
  EXPECT_EQ(FindQuote("a b c d X f g", page), QuoteMatch::kAbsent) << "too short to be fuzzy";
}

TEST(FindQuote, ScatteredWordsAreNoQuote) {
  std::string page;
  for (const char* word : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) {
    page += std::string(word) + " x y z w v u t s r q p o ";
  }
  EXPECT_EQ(FindQuote("a b c d e f g h i j", page), QuoteMatch::kAbsent);
}

TEST(FindQuote, NothingIsNowhere) {
  EXPECT_EQ(FindQuote("", "text"), QuoteMatch::kAbsent);
  EXPECT_EQ(FindQuote(" \n", "text"), QuoteMatch::kAbsent);
  EXPECT_EQ(FindQuote("text", ""), QuoteMatch::kAbsent);
}

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() {
    id_ = testing::AddDocument(
        store_, embedder_, "a.pdf", "A",
        {{"Setup", "Unpack the box.", "iii"}, {"Setup", "Connect the hose.", "iv"}});
    text_ = *store_.GetText(id_);
  }

  Citation Cite(const std::string& from, const std::string& to) const {
    Citation citation;
    citation.document = id_;
    citation.begin = text_.find(from);
    citation.end = text_.find(to) + to.size();
    citation.quote = text_.substr(citation.begin, citation.end - citation.begin);
    return citation;
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  vectorstore::DocumentId id_ = 0;
  std::string text_;
};

TEST_F(VerifyTest, NamesThePageItStandsOn) {
  Citation citation = Cite("Connect", "hose.");
  ASSERT_TRUE(VerifyCitation(store_, citation).has_value());
  EXPECT_EQ(citation.match, QuoteMatch::kExact);
  EXPECT_EQ(citation.page, "iv");
  EXPECT_EQ(citation.page_number, 2u);
}

TEST_F(VerifyTest, AQuoteOverAPageBreakNamesBoth) {
  Citation citation = Cite("Unpack", "hose.");
  ASSERT_TRUE(VerifyCitation(store_, citation).has_value());
  EXPECT_EQ(citation.match, QuoteMatch::kExact);
  EXPECT_EQ(citation.page, "iii-iv");
}

TEST_F(VerifyTest, TheRightWordsOnTheWrongPageAreAbsent) {
  Citation citation = Cite("Connect", "hose.");
  citation.quote = "Unpack the box.";
  ASSERT_TRUE(VerifyCitation(store_, citation).has_value());
  EXPECT_EQ(citation.match, QuoteMatch::kAbsent);
}

TEST_F(VerifyTest, OffsetsOutsideEveryPageAreAbsent) {
  Citation citation = Cite("Connect", "hose.");
  citation.begin = citation.end = 100000;
  ASSERT_TRUE(VerifyCitation(store_, citation).has_value());
  EXPECT_EQ(citation.match, QuoteMatch::kAbsent);
  EXPECT_EQ(citation.page_number, 0u);
}

TEST_F(VerifyTest, ADeletedDocumentIsNotFound) {
  Citation citation = Cite("Connect", "hose.");
  ASSERT_TRUE(store_.DeleteDocument(id_).has_value());
  const auto verified = VerifyCitation(store_, citation);
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace vade::qa
