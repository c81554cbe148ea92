// Stored text back into blocks, sentences, items and rows.
#include "qa/answer/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Sentences(const std::string& text) {
  std::vector<std::string> out;
  for (const Span& span : SplitSentences(text, {0, text.size()})) {
    out.push_back(text.substr(span.begin, span.end - span.begin));
  }
  return out;
}

TEST(SplitSentences, EndsAtStopsBeforeANewBeginning) {
  EXPECT_THAT(Sentences("Open it. Is it dry? Close it!"),
              ElementsAre("Open it.", "Is it dry?", "Close it!"));
  EXPECT_THAT(Sentences("Wait (30 s.) Then go on."), ElementsAre("Wait (30 s.)", "Then go on."));
}

TEST(SplitSentences, AbbreviationsAndDecimalsDoNotEndOne) {
  EXPECT_THAT(Sentences("Use acid, e.g. Citric acid, 2.5 g per litre."), SizeIs(1));
  EXPECT_THAT(Sentences("See Fig. 3 and No. 4. Then stop."),
              ElementsAre("See Fig. 3 and No. 4.", "Then stop."));
  EXPECT_THAT(Sentences("Visit example.com for more"), SizeIs(1));
}

TEST(SplitSentences, KoreanAndFullWidthStops) {
  EXPECT_THAT(Sentences("전원을 끄십시오. 필터를 빼십시오."), SizeIs(2));
  EXPECT_THAT(Sentences("止まる。待つ。"), ElementsAre("止まる。", "待つ。"));
}

TEST(SplitSentences, NothingIsNoSentence) {
  EXPECT_THAT(Sentences(""), IsEmpty());
  EXPECT_THAT(Sentences(" \n "), IsEmpty());
}

TEST(ItemNumber, Markers) {
  EXPECT_EQ(ItemNumber("3. Close"), 3);
  EXPECT_EQ(ItemNumber("  12) Close"), 12);
  EXPECT_EQ(ItemNumber("- Close"), 0);
  EXPECT_EQ(ItemNumber("• Close"), 0);
  EXPECT_EQ(ItemNumber("a. Close"), 0);
  EXPECT_EQ(ItemNumber("3.5 bar"), -1);
  EXPECT_EQ(ItemNumber("2026. "), -1);
  EXPECT_EQ(ItemNumber("Close"), -1);
  EXPECT_EQ(ItemNumber(""), -1);
}

const std::string kText =
    "Reset\n\nTo reset the pump:\n\n1. Switch it off.\n2. Wait\n   one minute.\n3. Switch it "
    "on.\n\nCode | Meaning\nE-1 | Dry\nE-2 | Hot\n\nThat is all.";

TEST(BlocksAround, RecognisesEveryForm) {
  const std::vector<TextBlock> blocks = BlocksAround(kText, {0, kText.size()}, {"Reset"});
  ASSERT_THAT(blocks, SizeIs(5));
  EXPECT_EQ(blocks[0].form, BlockForm::kHeading);
  EXPECT_EQ(blocks[1].form, BlockForm::kParagraph);
  EXPECT_EQ(blocks[2].form, BlockForm::kList);
  EXPECT_TRUE(blocks[2].numbered);
  EXPECT_THAT(blocks[2].parts, SizeIs(3)) << "a continuation line belongs to its item";
  EXPECT_EQ(blocks[3].form, BlockForm::kTable);
  EXPECT_THAT(blocks[3].parts, SizeIs(3));
  EXPECT_EQ(blocks[4].form, BlockForm::kParagraph);
}

TEST(BlocksAround, ACutListIsGivenWholeWithItsLeadIn) {
  const size_t inside = kText.find("Wait");
  const std::vector<TextBlock> blocks = BlocksAround(kText, {inside, inside + 4}, {});
  ASSERT_THAT(blocks, SizeIs(2));
  EXPECT_EQ(kText.substr(blocks[0].span.begin, 3), "To ");
  EXPECT_THAT(blocks[1].parts, SizeIs(3));
}

TEST(BlocksAround, RangesOutsideTheTextAreClamped) {
  EXPECT_THAT(BlocksAround("", {5, 9}, {}), IsEmpty());
  EXPECT_THAT(BlocksAround("one", {0, 900}, {}), SizeIs(1));
  EXPECT_THAT(BlocksAround("\n\n\n\n\n", {0, 5}, {}), IsEmpty());
}

TEST(SplitCells, TrimsAndKeepsEmptyCells) {
  EXPECT_THAT(SplitCells("a | b |  | d"), ElementsAre("a", "b", "", "d"));
  EXPECT_THAT(SplitCells("plain"), ElementsAre("plain"));
}

TEST(SplitHeadingPath, Parts) {
  EXPECT_THAT(SplitHeadingPath("Setup > Network"), ElementsAre("Setup", "Network"));
  EXPECT_THAT(SplitHeadingPath(""), IsEmpty());
}

}  // namespace
}  // namespace vade::qa
