// Passages to pages and sections.
#include "qa/eval/unit_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa::eval {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const UnitMap kMap({"a.pdf#p=iv", "a.pdf#p=1", "a.pdf#p=2", "a.pdf#p=3", "b.md#", "b.md#Setup",
                    "b.md#Setup > Network", "b.md#Care > Cleaning"});

retriever::Passage Section(std::string path, std::string heading, double score = 1) {
  retriever::Passage passage;
  passage.path = std::move(path);
  passage.heading_path = std::move(heading);
  passage.score = score;
  return passage;
}

retriever::Passage Pages(std::string first, std::string last, double score = 1) {
  retriever::Passage passage = Section("a.pdf", "Some heading", score);
  passage.first_page = std::move(first);
  passage.last_page = std::move(last);
  return passage;
}

TEST(UnitMap, PagesByLabel) {
  EXPECT_THAT(kMap.UnitsOf(Pages("iv", "iv")), ElementsAre("a.pdf#p=iv"));
  EXPECT_THAT(kMap.UnitsOf(Pages("1", "3")), ElementsAre("a.pdf#p=1", "a.pdf#p=2", "a.pdf#p=3"));
  EXPECT_THAT(kMap.UnitsOf(Pages("9", "9")), IsEmpty());
  EXPECT_THAT(kMap.UnitsOf(Pages("2", "gone")), ElementsAre("a.pdf#p=2"));
}

TEST(UnitMap, SectionsByTheNearestEnclosingHeading) {
  EXPECT_THAT(kMap.UnitsOf(Section("b.md", "Setup > Network")),
              ElementsAre("b.md#Setup > Network"));
  EXPECT_THAT(kMap.UnitsOf(Section("b.md", "Setup > Network > Proxy")),
              ElementsAre("b.md#Setup > Network"));
  EXPECT_THAT(kMap.UnitsOf(Section("b.md", "Care > Storage")), ElementsAre("b.md#"));
  EXPECT_THAT(kMap.UnitsOf(Section("b.md", "")), ElementsAre("b.md#"));
  EXPECT_THAT(kMap.UnitsOf(Section("c.md", "Setup")), IsEmpty());
}

TEST(UnitMap, APassageOverSmallSectionsMapsToEachOfThem) {
  const std::string text =
      "Title\n\nBefore.\n\nCare\n\nCleaning\n\nWipe it. See Storage.\n\nStorage\n\nKeep dry.\n\n"
      "Setup\n\nNetwork\n\nPlug in.";
  UnitMap map({"c.md#", "c.md#Care > Cleaning", "c.md#Care > Storage", "c.md#Setup > Network"});
  map.AddText("c.md", text);
  const auto units = [&](std::string_view from, std::string_view to) {
    retriever::Passage passage = Section("c.md", "Care");
    passage.begin = text.find(from);
    passage.end = text.find(to) + to.size();
    return map.UnitsOf(passage);
  };
  EXPECT_THAT(units("Before.", "Before."), ElementsAre("c.md#"));
  EXPECT_THAT(units("Care\n", "Wipe it."), ElementsAre("c.md#Care > Cleaning"));
  EXPECT_THAT(units("Wipe it.", "Keep dry."),
              ElementsAre("c.md#Care > Cleaning", "c.md#Care > Storage"));
  EXPECT_THAT(units("Setup", "Plug in."), ElementsAre("c.md#Setup > Network"));
}

TEST(UnitMap, AHeadingThatIsNotInTheTextIsMappedByItsPath) {
  UnitMap map({"d.md#", "d.md#Gone", "d.md#There"});
  map.AddText("d.md", "Intro\n\nThere\n\nBody");
  retriever::Passage passage = Section("d.md", "Gone");
  passage.begin = 0;
  passage.end = 5;
  EXPECT_THAT(map.UnitsOf(passage), ElementsAre("d.md#", "d.md#Gone"));
}

TEST(UnitMap, RanksEachUnitOnceAndABorderPassageByItsBestJudgedUnit) {
  const std::vector<retriever::Passage> passages = {
      Section("c.md", "unknown", 9), Pages("1", "2", 8), Pages("1", "1", 7),
      Section("b.md", "Setup", 6), Section("b.md", "Setup > Wiring", 5)};
  const std::vector<Judgment> judgments = {{"a.pdf#p=2", 2}};
  const auto ranked = kMap.RankUnits(passages, judgments, 10);
  ASSERT_EQ(ranked.size(), 3U);
  EXPECT_EQ(ranked[0].doc, "a.pdf#p=2");
  EXPECT_EQ(ranked[0].score, 8);
  EXPECT_EQ(ranked[1].doc, "a.pdf#p=1");
  EXPECT_EQ(ranked[2].doc, "b.md#Setup");
  EXPECT_EQ(kMap.RankUnits(passages, judgments, 1).size(), 1U);
}

TEST(UnitMap, WithoutJudgmentsABorderPassageIsItsFirstPage) {
  const std::vector<retriever::Passage> passages = {Pages("1", "2")};
  EXPECT_EQ(kMap.RankUnits(passages, {}, 10)[0].doc, "a.pdf#p=1");
}

}  // namespace
}  // namespace vade::qa::eval
