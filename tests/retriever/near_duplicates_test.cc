// The same words are duplicates; the same words with other numbers are not.
#include "retriever/near_duplicates.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vade::retriever {
namespace {

const std::string kSection =
    "Before cleaning the filter, unplug the device and let it cool down for 30 minutes. Open the "
    "front panel, pull the filter out by its handle and rinse it under lukewarm running water. Do "
    "not use detergent, hot water or a brush. Let the filter dry completely before you put it "
    "back.";

TEST(NearDuplicate, TheSameText) {
  EXPECT_TRUE(NearDuplicate(PrintOf(kSection), PrintOf(kSection)));
}

TEST(NearDuplicate, LayoutAndCaseDoNotMatter) {
  std::string other = kSection;
  for (char& c : other) c = c == ' ' ? '\n' : c;
  other[0] = 'b';
  EXPECT_TRUE(NearDuplicate(PrintOf(kSection), PrintOf(other)));
}

TEST(NearDuplicate, AnotherNumberIsAnotherAnswer) {
  std::string other = kSection;
  other.replace(other.find("30"), 2, "45");
  EXPECT_FALSE(NearDuplicate(PrintOf(kSection), PrintOf(other)));
}

TEST(NearDuplicate, AnotherModelIsAnotherAnswer) {
  EXPECT_FALSE(NearDuplicate(PrintOf("AP-200: " + kSection), PrintOf("AP-300: " + kSection)));
}

TEST(NearDuplicate, AnotherSentenceIsAnotherText) {
  EXPECT_FALSE(NearDuplicate(PrintOf(kSection), PrintOf(kSection.substr(0, kSection.size() / 2))));
}

TEST(NearDuplicate, NothingIsADuplicateOfNothing) {
  EXPECT_FALSE(NearDuplicate(PrintOf(""), PrintOf("")));
  EXPECT_FALSE(NearDuplicate(PrintOf(" .,"), PrintOf(kSection)));
}

// So long that one word makes no difference to the words in common.
TEST(NearDuplicate, OneFigureTellsTwoTextsApart) {
  std::string rest;
  for (int i = 0; i < 200; ++i) rest += " word" + std::string(1, static_cast<char>('a' + i % 26));
  const std::pair<const char*, const char*> kTexts[] = {
      {"5.2 bar", "2.5 bar"}, {"5 C", "-5 C"},        {"E-204", "F-204"},
      {"AP-200", "AP-300"},   {"3/4 inch", "4/3 in"}, {"\uFF15 bar", "\uFF16 bar"}};
  for (const auto& [one, other] : kTexts) {
    EXPECT_TRUE(NearDuplicate(PrintOf(one + rest), PrintOf(one + rest)));
    EXPECT_FALSE(NearDuplicate(PrintOf(one + rest), PrintOf(other + rest))) << one;
  }
  EXPECT_TRUE(NearDuplicate(PrintOf("the reset" + rest), PrintOf("a start" + rest)));
}

TEST(NearDuplicate, QuotesAndDashesDoNotMatter) {
  EXPECT_TRUE(NearDuplicate(PrintOf("press \u201Creset\u201D \u2013 then wait"),
                            PrintOf("press \"reset\" - then wait")));
}

TEST(NearDuplicate, KoreanAndChineseSpacesDoNotMatter) {
  EXPECT_TRUE(NearDuplicate(PrintOf("\uD544\uD130\uB97C \uAD50\uCCB4"),
                            PrintOf("\uD544\uD130\uB97C\uAD50\uCCB4")));
  EXPECT_FALSE(NearDuplicate(PrintOf("\u6E05\u6D17\u8FC7\u6EE4\u5668"),
                             PrintOf("\u6E05\u6D17\u6C34\u7BB1")));
}

TEST(NearDuplicate, ShortTextsCompareWhole) {
  EXPECT_TRUE(NearDuplicate(PrintOf("Press Reset"), PrintOf("press  reset.")));
  EXPECT_FALSE(NearDuplicate(PrintOf("Press Reset"), PrintOf("Press Start")));
}

}  // namespace
}  // namespace vade::retriever
