#include "vectorstore/lexical_tokenizer.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "engine/base/utf8.h"

namespace vade::vectorstore {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> Terms(std::string_view text, TokenizeFor purpose = TokenizeFor::kIndex) {
  std::vector<std::string> terms;
  for (const Token& token : Tokenize(text, purpose)) terms.push_back(token.term);
  return terms;
}

TEST(LexicalTokenizer, WordsAreFoldedAndStemmed) {
  EXPECT_THAT(Terms("Resetting the PUMPS, connected."),
              ElementsAre("reset", "the", "pump", "connect"));
  EXPECT_THAT(Terms("don't user\xE2\x80\x99s"), ElementsAre("don't", "user"));
}

TEST(LexicalTokenizer, AccentsWidthAndCompositionFold) {
  EXPECT_THAT(Terms("Café"), ElementsAre("cafe"));
  EXPECT_EQ(Terms("cafe\xCC\x81"), Terms("café"));  // combining acute
  EXPECT_EQ(Terms("Ｐｕｍｐ１２"), Terms("pump12"));
  EXPECT_EQ(Terms("STRASSE"), Terms("straße"));
  EXPECT_EQ(Terms("ﾎﾟﾝﾌﾟ"), Terms("ポンプ"));                 // half-width kana with voicing marks
  EXPECT_EQ(Terms("\xE1\x84\x89\xE1\x85\xA5"), Terms("서"));  // conjoining jamo
}

TEST(LexicalTokenizer, IdentifiersWholeAndInParts) {
  EXPECT_THAT(Terms("E-204"), ElementsAre("e", "e204", "204"));
  EXPECT_THAT(Terms("E204"), ElementsAre("e204"));
  EXPECT_THAT(Terms("RX-2000/B"), ElementsAre("rx", "rx2000b", "2000", "b"));
  EXPECT_THAT(Terms("foo_bar"), ElementsAre("foo", "foo_bar", "bar"));
  EXPECT_THAT(Terms("10.0.0.1"), ElementsAre("10", "10.0.0.1", "0", "0", "1"));
  EXPECT_THAT(Terms("v2.3"), ElementsAre("v2", "v2.3", "3"));
  EXPECT_THAT(Terms("1,000"), ElementsAre("1", "1000", "000"));
  EXPECT_THAT(Terms("self-test."), ElementsAre("self", "test"));
}

TEST(LexicalTokenizer, KoreanRunsBecomeSyllablesBigramsAndTheWhole) {
  EXPECT_THAT(Terms("서버를"), ElementsAre("서", "서버", "서버를", "버", "버를", "를"));
  EXPECT_THAT(Terms("USB를"), ElementsAre("usb", "를"));
  EXPECT_THAT(Terms("물"), ElementsAre("물"));
}

TEST(LexicalTokenizer, OffsetsCoverTheSource) {
  const std::string text = "An E-204 오류.";
  for (const Token& token : Tokenize(text, TokenizeFor::kIndex)) {
    ASSERT_LT(token.begin, token.end);
    ASSERT_LE(token.end, text.size());
    EXPECT_TRUE(utf8::IsValid(std::string_view(text).substr(token.begin, token.end - token.begin)));
  }
  const auto tokens = Tokenize(text, TokenizeFor::kIndex);
  EXPECT_EQ(tokens[2].term, "e204");
  EXPECT_TRUE(tokens[2].colocated);
  EXPECT_EQ(text.substr(tokens[2].begin, tokens[2].end - tokens[2].begin), "E-204");
}

TEST(LexicalTokenizer, QueriesLoseStopWordsUnlessNothingIsLeft) {
  EXPECT_THAT(Terms("how do I reset it", TokenizeFor::kQuery), ElementsAre("reset"));
  EXPECT_THAT(Terms("how to be", TokenizeFor::kQuery), Not(IsEmpty()));
  EXPECT_TRUE(IsStopWord("the"));
  EXPECT_TRUE(IsStopWord("는"));
  EXPECT_FALSE(IsStopWord("pump"));
}

TEST(LexicalTokenizer, AnyBytesAndAnyLength) {
  EXPECT_THAT(Terms("a\xFF\x80z"), ElementsAre("a", "z"));
  EXPECT_THAT(Terms("\xE2\x80\x8B\xC2\xAD"), IsEmpty());  // zero-width space, soft hyphen
  EXPECT_EQ(Terms("re\xC2\xADset"), Terms("reset"));
  EXPECT_EQ(Terms(std::string(1 << 20, 'x')).at(0).size(), 64u);
  EXPECT_LE(Terms(std::string(1 << 20, '-') + "a", TokenizeFor::kQuery).size(), 512u);
  std::string many;
  for (int i = 0; i < 100000; ++i) many.append("k").append(std::to_string(i)).append(" ");
  EXPECT_LE(Terms(many, TokenizeFor::kQuery).size(), 520u);
  for (int seed = 0; seed < 200; ++seed) {
    std::string bytes;
    unsigned state = static_cast<unsigned>(seed) * 2654435761u + 1;
    for (int i = 0; i < 300; ++i)
      bytes.push_back(static_cast<char>((state = state * 1664525u + 1013904223u) >> 24));
    for (const std::string& term : Terms(bytes)) EXPECT_TRUE(utf8::IsValid(term));
  }
}

TEST(LexicalTokenizer, LongChainsGiveTheirPartsOnly) {
  std::string chain = "a1";
  for (int i = 0; i < 1000; ++i) chain += "-a1";
  EXPECT_EQ(Terms(chain).size(), 1001u);
}

}  // namespace
}  // namespace vade::vectorstore
