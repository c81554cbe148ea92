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
