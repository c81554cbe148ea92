#include "qa/explain/json_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/qa/explain/explained.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using vade::testing::MakeExplanation;

TEST(ExplainJson, HasTheSixSteps) {
  const json out = ToJson(MakeExplanation({"a", "b"}), {});
  EXPECT_EQ(out["tokens"][1]["id"], 4);
  EXPECT_EQ(out["embedding"]["vectors"][0]["length"], 5.0);
  EXPECT_EQ(out["positions"]["kind"], "rope");
  EXPECT_EQ(out["positions"]["rope"]["pairs"].size(), 2u);
  EXPECT_EQ(out["attention"]["layers"].size(), 2u);
  EXPECT_EQ(out["attention"]["layers"][1]["maps"][1]["weights"][1], json::array({0.5, 0.5}));
  EXPECT_EQ(out["logits"]["candidates"][0]["after_settings"], 0.9);
  EXPECT_TRUE(out["logits"]["candidates"][1]["after_settings"].is_null());
  EXPECT_EQ(out["loop"][0]["text"], "</b>");
  EXPECT_NO_THROW((void)out.dump()) << "half a Korean syllable is repaired";
}

TEST(ExplainJson, GivesTheChosenMapsOnly) {
  const json out = ToJson(MakeExplanation({"a", "b"}), {1, 2});
  ASSERT_EQ(out["attention"]["layers"].size(), 1u);
  EXPECT_EQ(out["attention"]["layers"][0]["layer"], 1);
  ASSERT_EQ(out["attention"]["layers"][0]["maps"].size(), 1u);
  EXPECT_EQ(out["attention"]["layers"][0]["maps"][0]["head"], 2);
}

TEST(ExplainJson, TooManyWeightsBecomeMeans) {
  const auto e = MakeExplanation(std::vector<std::string>(250, "x"), 8, 16);
  const json out = ToJson(e, {});
  EXPECT_EQ(out["attention"]["heads"], "mean");
  EXPECT_EQ(out["attention"]["layers"][7]["maps"].size(), 1u);
  EXPECT_EQ(ToJson(e, {2, {}})["attention"]["heads"], "each");
}

}  // namespace
}  // namespace vade::qa
