// Tool calls: the forms of templates, their grammars, what is read back, and that none of it leaks.
#include "engine/tool_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/local_model.h"
#include "engine/runtime/grammar_matcher.h"
#include "tests/support/fake_decoder.h"

namespace vade::engine {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::string_view kTagged =
    "{% for t in tools %}{{ t | tojson }}\n{% endfor %}{% for m in messages %}<|im_start|>{{ "
    "m.role "
    "}}\n{{ m.content }}{% for c in m.tool_calls %}<tool_call>\n{\"name\": \"{{ c.function.name "
    "}}\", "
    "\"arguments\": {{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant{{ '\n' }}";

const std::vector<ToolSpec> kTools = {
    {"weather", "Tells the weather",
     R"({"type":"object","properties":{"city":{"type":"string","maxLength":8},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["city","days"]})"},
    {"clock", "Tells the time", ""}};

// What a grammar takes.
class Reader {
 public:
  explicit Reader(const std::string& gbnf) {
    std::vector<std::string> bytes(256);
    for (size_t i = 0; i < 256; ++i) bytes[i] = std::string(1, static_cast<char>(i));
    trie_ = std::make_unique<runtime::TokenTrie>(bytes);
    auto grammar = runtime::Grammar::Parse(gbnf);
    EXPECT_TRUE(grammar) << grammar.error().message << "\n" << gbnf;
    if (grammar) grammar_ = *std::move(grammar);
  }
  bool Takes(const std::string& text) const {
    auto matcher = runtime::GrammarMatcher::Create(*grammar_, *trie_, {}).value();
    return matcher.AcceptText(text).has_value() && matcher.may_end();
  }

 private:
  std::unique_ptr<runtime::TokenTrie> trie_;
  std::optional<runtime::Grammar> grammar_;
};

Reader GrammarOf(CallForm form, const ToolChoice& choice = {}) {
  return Reader(MakeCallGrammar(form, kTools, choice).value().gbnf);
}

constexpr const char* kArgs = R"({"city": "Ulm", "days": 3})";
std::string Weather(const std::string& args, const std::string& key = "arguments") {
  return R"({"name": "weather", ")" + key + "\": " + args + "}";
}

TEST(FindCallForm, ByWhatTheTemplateSays) {
  EXPECT_EQ(FindCallForm("tools <tool_call>"), CallForm::kTagged);
  EXPECT_EQ(FindCallForm("tools <tool_call><function=x>"), std::nullopt) << "not JSON";
  EXPECT_EQ(FindCallForm("tools <tool_call><arg_key>"), std::nullopt);
  EXPECT_EQ(FindCallForm("tools [TOOL_CALLS]"), CallForm::kList);
  EXPECT_EQ(FindCallForm("tools [TOOL_CALLS] [ARGS]"), CallForm::kNameAndArgs);
  EXPECT_EQ(FindCallForm("tools <|start_header_id|> \"parameters\": "), CallForm::kBare);
  EXPECT_EQ(FindCallForm("{{ messages }}"), std::nullopt);
}

TEST(CallGrammar, EveryFormTakesItsCallsAndOnlyWithTheSchemasArguments) {
  const auto call = Weather(kArgs);
  const Reader tagged = GrammarOf(CallForm::kTagged);
  EXPECT_TRUE(tagged.Takes("<tool_call>\n" + call + "\n</tool_call>"));
  EXPECT_TRUE(tagged.Takes("<tool_call>" + call + "</tool_call>\n<tool_call>" +
                           R"({"name":"clock","arguments":{}})" + "</tool_call>"));
  EXPECT_FALSE(tagged.Takes(call));
  EXPECT_FALSE(tagged.Takes("<tool_call>" + Weather(R"({"city": "Ulm"})") + "</tool_call>"));
  EXPECT_FALSE(
      tagged.Takes("<tool_call>" + Weather(R"({"city": "Ulm", "days": 11})") + "</tool_call>"));
  EXPECT_FALSE(tagged.Takes(R"(<tool_call>{"name":"other","arguments":{}}</tool_call>)"));

  const Reader bare = GrammarOf(CallForm::kBare);
  EXPECT_TRUE(bare.Takes(Weather(kArgs, "parameters")));
  EXPECT_TRUE(bare.Takes("<|python_tag|>" + Weather(kArgs, "parameters")));
  EXPECT_TRUE(bare.Takes(R"({"type": "function", "name": "clock", "parameters": {}})"));
  EXPECT_FALSE(bare.Takes(call));

  const Reader list = GrammarOf(CallForm::kList);
  EXPECT_TRUE(list.Takes("[TOOL_CALLS] [" + call + ", " + call + "]"));
  EXPECT_FALSE(list.Takes("[TOOL_CALLS] []"));

  const Reader named = GrammarOf(CallForm::kNameAndArgs);
  EXPECT_TRUE(
      named.Takes(std::string("[TOOL_CALLS]weather[ARGS]") + kArgs + "[TOOL_CALLS]clock[ARGS]{}"));
  EXPECT_FALSE(named.Takes("[TOOL_CALLS]weather[ARGS]{}"));
}

TEST(CallGrammar, AChosenToolIsTheOnlyOne) {
  const Reader chosen = GrammarOf(CallForm::kTagged, {ToolChoice::Mode::kRequired, "clock"});
  const std::string clock = R"(<tool_call>{"name": "clock", "arguments": {}}</tool_call>)";
  EXPECT_TRUE(chosen.Takes(clock));
  EXPECT_FALSE(chosen.Takes(clock + "\n" + clock));
  EXPECT_FALSE(chosen.Takes("<tool_call>" + Weather(kArgs) + "</tool_call>"));
}

TEST(CallGrammar, ASchemaThatNoGrammarSaysLeavesAnyObjectAndAWarning) {
  const std::vector<ToolSpec> tools = {{"odd", "", R"({"not": {"type": "string"}})"}};
  const auto grammar = MakeCallGrammar(CallForm::kTagged, tools, {});
  ASSERT_TRUE(grammar) << grammar.error().message;
  ASSERT_THAT(grammar->warnings, SizeIs(1));
  EXPECT_THAT(grammar->warnings[0], HasSubstr("tool odd"));
  EXPECT_TRUE(Reader(grammar->gbnf)
                  .Takes(R"(<tool_call>{"name": "odd", "arguments": {"a": [1]}}</tool_call>)"));
}

TEST(CallGrammar, EitherTakesBothAndKeepsTheirRulesApart) {
  const Reader either(EitherGbnf("root ::= x\nx ::= \"a\" [x]{2}", "root ::= x # x\nx ::= \"b\""));
  EXPECT_TRUE(either.Takes("axx"));
  EXPECT_TRUE(either.Takes("b"));
  EXPECT_FALSE(either.Takes("a"));
}

TEST(CheckTools, BadOnesAreNamed) {
  const auto refused = [](std::vector<ToolSpec> tools, ToolChoice choice = {}) {
    const auto checked = CheckTools(tools, choice);
    return checked ? std::string("taken") : checked.error().message;
  };
  EXPECT_THAT(refused({{"a b", "", ""}}), HasSubstr("a name must be"));
  EXPECT_THAT(refused({{std::string(65, 'a'), "", ""}}), HasSubstr("a name must be"));
  EXPECT_THAT(refused({{"a", "", ""}, {"a", "", ""}}), HasSubstr("two are named a"));
  EXPECT_THAT(refused({{"a", "", "[1]"}}), HasSubstr("no JSON object"));
  EXPECT_THAT(refused({{"a", "", ""}}, {ToolChoice::Mode::kRequired, "b"}),
              HasSubstr("tool_choice"));
  EXPECT_EQ(refused(kTools), "taken");
}

TEST(ReadCalls, EveryFormIsRead) {
  const auto first = [](CallForm form, const std::string& text) {
    const auto calls = ReadCalls(form, text);
    return calls.empty() ? std::string("none") : calls[0].name + " " + calls[0].arguments;
  };
  const std::string want = R"(weather {"city":"Ulm","days":3})";
  EXPECT_EQ(first(CallForm::kTagged, "<tool_call>\n" + Weather(kArgs) + "\n</tool_call>"), want);
  EXPECT_EQ(first(CallForm::kBare, "<|python_tag|>" + Weather(kArgs, "parameters")), want);
  EXPECT_EQ(first(CallForm::kList, "[TOOL_CALLS] [" + Weather(kArgs) + "]"), want);
  EXPECT_EQ(first(CallForm::kNameAndArgs, std::string("[TOOL_CALLS]weather[ARGS]") + kArgs),
            std::string("weather ") + kArgs);
  EXPECT_EQ(first(CallForm::kTagged, "<tool_call>" + Weather(R"({"city": "{\"}")")), "none")
      << "cut";
  const auto two = ReadCalls(CallForm::kList, "[TOOL_CALLS] [" + Weather(kArgs) + ", " +
                                                  Weather(R"({"city": "}{", "days": 1})") + "]");
  ASSERT_THAT(two, SizeIs(2));
  EXPECT_NE(two[0].id, two[1].id);
  EXPECT_THAT(two[0].id, ::testing::MatchesRegex("[A-Za-z0-9]{9}"));
}

// A model that writes a script, with a template.
class TemplatedDecoder : public testing::FakeDecoder {
 public:
  explicit TemplatedDecoder(std::string_view source) : FakeDecoder(4096), source_(source) {}
  std::string_view chat_template() const override { return source_; }

 private:
  std::string source_;
};

class ToolModelTest : public ::testing::Test {
 protected:
  ToolModelTest() {
    request_.messages = {{"system", "be brief"}, {"user", "how is Ulm?"}};
    request_.tools = kTools;
    request_.sampling.temperature = 0;
    request_.draft_tokens = 0;
    request_.max_tokens = 300;
  }
  ModelReply Generate(const std::optional<std::string>& script, std::string_view source = kTagged) {
    auto engine = std::make_unique<TemplatedDecoder>(source);
    engine->script = script;
    LocalModel model(std::move(engine));
    streamed_.clear();
    auto reply = model.Generate(request_, [&](std::string_view text) {
      streamed_ += text;
      return true;
    });
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *std::move(reply) : ModelReply{};
  }

  ModelRequest request_;
  std::string streamed_;
};

TEST_F(ToolModelTest, TheTemplateTellsOfTheTools) {
  const std::string prompt = Generate("It rains.").prompt;
  EXPECT_THAT(prompt, HasSubstr(R"({"type": "function", "function": {"name": "weather", )"));
  EXPECT_THAT(prompt, HasSubstr("<|im_start|>user\nhow is Ulm?"));
  EXPECT_EQ(streamed_, "It rains.");
}

TEST_F(ToolModelTest, ATemplateThatKnowsNoneHasThemDescribed) {
  request_.messages.push_back({"assistant", "", {{"1", "clock", "{}"}}});
  request_.messages.push_back({.role = "tool", .content = "noon", .tool_call_id = "1"});
  const std::string prompt =
      Generate("done", "{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ '\n' }}{% endfor %}").prompt;
  EXPECT_THAT(prompt, HasSubstr("[system]be brief\n\n# Tools"));
  EXPECT_THAT(prompt, HasSubstr(R"({"name":"weather")"));
  EXPECT_THAT(prompt,
              HasSubstr("[assistant]<tool_call>\n{\"name\": \"clock\", \"arguments\": {}}"));
  EXPECT_THAT(prompt, HasSubstr("[user]<tool_response>\nnoon\n</tool_response>"));
}

TEST_F(ToolModelTest, ControlTokensInToolsAndArgumentsAreText) {
  request_.tools[0].description = "a<|im_end|>b";
  request_.messages.push_back({"assistant", "", {{"1", "clock", R"({"x": "<|im_end|>"})"}}});
  auto engine = std::make_unique<TemplatedDecoder>(kTagged);
  const auto prompt =
      BuildChatPrompt(engine->tokenizer(), kTagged, request_.messages, request_.tools);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->template_name, "model");
  EXPECT_EQ(std::ranges::count(prompt->ids, testing::ByteTokenizer::kEnd), 3) << "one a message";
  EXPECT_THAT(prompt->text, HasSubstr("a<|im_end|>b"));
}

TEST_F(ToolModelTest, ACallIsTakenOutOfTheText) {
  const ModelReply reply = Generate("Let me see. <tool_call>" + Weather(kArgs) + "</tool_call>");
  EXPECT_EQ(reply.text, "Let me see. ");
  EXPECT_EQ(streamed_, reply.text);
  ASSERT_THAT(reply.tool_calls, SizeIs(1));
  EXPECT_EQ(reply.tool_calls[0].name, "weather");
  EXPECT_EQ(json::parse(reply.tool_calls[0].arguments), json::parse(kArgs));
  EXPECT_EQ(reply.reason, StopReason::kEnd);
  EXPECT_THAT(reply.warnings, IsEmpty());
}

TEST_F(ToolModelTest, TextThatBeginsLikeACallIsText) {
  EXPECT_EQ(Generate("<tool_box> and <tool_call").text, "<tool_box> and <tool_call");
  EXPECT_EQ(streamed_, "<tool_box> and <tool_call");
}

TEST_F(ToolModelTest, OnceACallHasBegunTheSchemaHolds) {
  // The model wants another tool and bad arguments; it cannot have them.
  const ModelReply reply =
      Generate(R"(<tool_call>{"name": "format_disk", "arguments": {"city": 1}}</tool_call>)");
  EXPECT_THAT(streamed_, Not(HasSubstr("tool_call")));
  for (const ToolCall& call : reply.tool_calls) {
    EXPECT_THAT(call.name, ::testing::AnyOf("weather", "clock"));
  }
}

TEST_F(ToolModelTest, ARequiredCallIsMadeWhateverTheModelWants) {
  request_.tool_choice = {ToolChoice::Mode::kRequired, "weather"};
  request_.sampling.temperature = 1;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    request_.sampling.seed = seed;
    const ModelReply reply = Generate(std::nullopt);
    EXPECT_EQ(streamed_, "");
    if (reply.reason != StopReason::kEnd) continue;  // a string went on until the end
    ASSERT_THAT(reply.tool_calls, SizeIs(1));
    EXPECT_EQ(reply.tool_calls[0].name, "weather");
    const json arguments = json::parse(reply.tool_calls[0].arguments);
    EXPECT_TRUE(arguments["city"].is_string());
    EXPECT_TRUE(arguments["days"].is_number_integer());
  }
}

TEST_F(ToolModelTest, ACallThatIsCutOffIsToldAndNotShown) {
  request_.max_tokens = 30;
  const ModelReply reply = Generate("<tool_call>" + Weather(kArgs) + "</tool_call>");
  EXPECT_EQ(reply.reason, StopReason::kMaxTokens);
  EXPECT_EQ(reply.text + streamed_, "");
  EXPECT_THAT(reply.tool_calls, IsEmpty());
  EXPECT_THAT(reply.warnings, ::testing::Contains("a tool call was cut off"));
}

TEST_F(ToolModelTest, NoneMeansNone) {
  request_.tool_choice.mode = ToolChoice::Mode::kNone;
  const ModelReply reply = Generate("<tool_call> is text");
  EXPECT_EQ(reply.text, "<tool_call> is text");
  EXPECT_THAT(reply.prompt, Not(HasSubstr("weather")));
}

TEST_F(ToolModelTest, AFormatHoldsUnlessThereIsACall) {
  request_.format = {OutputFormat::Kind::kGbnf, "root ::= \"x\"{3}"};
  EXPECT_EQ(Generate("xno").text, "xxx");
  const ModelReply reply = Generate("<tool_call>" + Weather(kArgs) + "</tool_call>");
  EXPECT_EQ(reply.text, "");
  EXPECT_THAT(reply.tool_calls, SizeIs(1));
}

}  // namespace
}  // namespace vade::engine
