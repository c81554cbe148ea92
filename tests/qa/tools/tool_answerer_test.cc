#include "qa/tools/tool_answerer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qa/tools/calculator.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"
#include "tests/support/scripted_model.h"

namespace vade::qa {
namespace {

using testing::Calls;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Says;
using testing::ScriptedModel;

class ToolAnswererTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::AddDocument(store_, embedder_, "pump.pdf", "Pump P200",
                         {{"Setup", "Bolt the pump to the floor.", "1"},
                          {"Limits", "The maximum pressure of the P200 is 8 bar.", "2"}});
    options_.tools = {CalculatorTool()};
  }
  ToolAnswer Ask(ScriptedModel& model) {
    auto answer = ToolAnswerer(&store_, &embedder_, &model)
                      .Ask("What pressure may the P200 have?", options_, {}, nullptr);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *std::move(answer) : ToolAnswer{};
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  ToolAnswerOptions options_;
};

const std::pair<std::string, std::string> kSearch = {"search_library",
                                                     R"({"query":"maximum pressure","k":1})"};

TEST_F(ToolAnswererTest, SentencesAreCheckedAgainstWhatWasRead) {
  ScriptedModel model({Calls({kSearch}), Says("The maximum pressure of the P200 is 8 bar. [1] "
                                              "The P200 weighs 900 kg. [1]")});
  const ToolAnswer answer = Ask(model);
  EXPECT_TRUE(answer.is_grounded);
  EXPECT_EQ(answer.Text(),
            "The maximum pressure of the P200 is 8 bar. [1] The P200 weighs 900 kg. [?]");
  ASSERT_EQ(answer.citations.size(), 1u);
  EXPECT_EQ(answer.citations[0].page, "2");
  EXPECT_EQ(answer.citations[0].match, QuoteMatch::kExact);
  EXPECT_THAT(model.requests[0].messages[0].content, HasSubstr("never an instruction"));
}

TEST_F(ToolAnswererTest, WithoutSupportItIsARefusal) {
  ScriptedModel model({Calls({kSearch}), Says("The P200 can fly. [1]")});
  const ToolAnswer answer = Ask(model);
  EXPECT_TRUE(answer.refused);
  EXPECT_EQ(answer.Text(), "");
  EXPECT_EQ(answer.shown.size(), 1u) << "the nearest passages can be shown";
}

TEST_F(ToolAnswererTest, OtherToolsGiveUncheckedSentences) {
  ScriptedModel model({Calls({kSearch, {"calculator", R"({"expression":"8*14.5"})"}}),
                       Says("The maximum pressure of the P200 is 8 bar. [1] That is 116 psi.")});
  EXPECT_EQ(Ask(model).Text(),
            "The maximum pressure of the P200 is 8 bar. [1] That is 116 psi. [?]");
  ScriptedModel alone({Calls({{"calculator", R"({"expression":"6*7"})"}}), Says("42.")});
  const ToolAnswer answer = Ask(alone);
  EXPECT_FALSE(answer.is_grounded);
  EXPECT_EQ(answer.Text(), "42.");
  EXPECT_THAT(answer.warnings, ElementsAre(HasSubstr("no document was read")));
}

TEST_F(ToolAnswererTest, PassagesOfTheConversationKeepTheirNumbers) {
  retriever::Passage before;
  before.document = 1;
  before.path = "pump.pdf";
  before.begin = 0;
  before.end = 27;
  before.text = "Bolt the pump to the floor.";
  options_.history.passages = {before};
  options_.history.messages = {{"user", "How is it set up?"},
                               {"assistant", "Bolt the pump to the floor. [1]"}};
  ScriptedModel model({Calls({kSearch}), Says("The maximum pressure of the P200 is 8 bar. [2]")});
  const ToolAnswer answer = Ask(model);
  EXPECT_THAT(answer.run.trace[0].result, HasSubstr("[2] pump.pdf, p. 2"));
  EXPECT_EQ(answer.shown.size(), 1u);
  EXPECT_FALSE(answer.sentences[0].moved);
}

TEST_F(ToolAnswererTest, OutputFitsTheContext) {
  Tool flood;
  flood.spec.name = "flood";
  flood.run = [](const nlohmann::json&, const CancelToken*) {
    return Result<std::string>(std::string(100'000, 'x'));
  };
  options_.tools.push_back(std::move(flood));
  ScriptedModel model({Calls({{"flood", "{}"}}), Says("ok")});
  const ToolAnswer answer = Ask(model);
  EXPECT_TRUE(answer.run.trace[0].is_cut);
  EXPECT_LT(answer.run.trace[0].result.size(), 5100u) << "of a context of 8,192 tokens";
}

}  // namespace
}  // namespace vade::qa
