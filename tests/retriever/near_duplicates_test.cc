// The same words are duplicates; the same words with other numbers are not.
#include "retriever/near_duplicates.h"

#include <gtest/gtest.h>

#include <string>

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

TEST(NearDuplicate, ShortTextsCompareWhole) {
  EXPECT_TRUE(NearDuplicate(PrintOf("Press Reset"), PrintOf("press  reset.")));
  EXPECT_FALSE(NearDuplicate(PrintOf("Press Reset"), PrintOf("Press Start")));
}

}  // namespace
}  // namespace vade::retriever
