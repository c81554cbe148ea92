#include "qa/explain/attention_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/qa/explain/explained.h"

namespace vade::qa {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using vade::testing::MakeExplanation;

TEST(AttentionView, TheMeanIsOverTheHeads) {
  const auto e = MakeExplanation({"a", "b"});
  EXPECT_THAT(AttentionRow(e.trace, {1, {}}, 1),
              ElementsAre(FloatNear(0.5f / 3, 1e-6f), FloatNear(2.5f / 3, 1e-6f)));
  EXPECT_THAT(AttentionRow(e.trace, {1, 1}, 1), ElementsAre(0.5f, 0.5f));
}

TEST(AttentionView, FindsTheHeadThatLooksElsewhere) {
  const auto e = MakeExplanation({"a", "b", "c"}, 3, 4, 2);
  const AttentionPlace place = MostTellingHead(e.trace);
  EXPECT_EQ(place.layer_idx, 2u);
  EXPECT_EQ(place.head, 2u);
  EXPECT_EQ(MostTellingHead(MakeExplanation({"alone"}).trace).layer_idx, 0u);
}

TEST(AttentionView, TheStrongestComeFirstAndEqualOnesInOrder) {
  const auto glances = Strongest({0.1f, 0.4f, 0.1f, 0.4f}, 3);
  ASSERT_EQ(glances.size(), 3u);
  EXPECT_EQ(glances[0].token, 1u);
  EXPECT_EQ(glances[1].token, 3u);
  EXPECT_EQ(glances[2].token, 0u);
  EXPECT_EQ(Strongest({1.0f}, 3).size(), 1u);
}

TEST(AttentionView, RopeInWordsOfTokens) {
  const auto e = MakeExplanation({"a"});
  EXPECT_NEAR(Wavelength(e.trace.rope, 0), 6.2832, 1e-3);
  EXPECT_NEAR(Stretch(e.trace.rope, 0), 1.0, 1e-9);
  EXPECT_NEAR(Stretch(e.trace.rope, 1), 2.0, 1e-9);
  engine::RopeTrace many;
  many.per_position.resize(64);
  EXPECT_THAT(SomePairs(many, 4), ElementsAre(0, 21, 42, 63));
  EXPECT_THAT(SomePairs(e.trace.rope, 4), ElementsAre(0, 1));
}

}  // namespace
}  // namespace vade::qa
