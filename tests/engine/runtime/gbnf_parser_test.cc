#include "engine/runtime/gbnf_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::runtime {
namespace {

using ::testing::HasSubstr;

TEST(GbnfParser, ReadsAllNotation) {
  const auto syntax = ParseGbnf(
      "# a comment\n"
      "root ::= (\n  item # inside a group\n  \"\\n\" )+ |\n  [^a-c\\x41\\u00e9\\U0001F600-]{2,3} "
      ".?\n"
      "item ::= \"a\\\"b\" other-rule* [\\]\\-] {2} [x] {3,}\r\n"
      "other-rule ::= | \"\"\n",
      {});
  ASSERT_TRUE(syntax.has_value()) << syntax.error().message;
  ASSERT_EQ(syntax->rules.size(), 3u);
  EXPECT_EQ(syntax->rules[syntax->root].name, "root");
  EXPECT_EQ(syntax->rules[syntax->root].body.kind, GbnfExpr::Kind::kChoice);
}

TEST(GbnfParser, ErrorsSayWhereAndWhat) {
  struct Case {
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"", "grammar:1:1: there is no rule named root"},
      {"a ::= \"x\"", "no rule named root"},
      {"root ::= a", "grammar:1:10: rule \"a\" is not defined"},
      {"root ::= \"x\"\nroot ::= \"y\"", "grammar:2:1: rule \"root\" is defined twice"},
      {"root = \"x\"", "grammar:1:6: got \"=\", want ::="},
      {"root ::= \"x", "grammar:1:10: a string without its closing"},
      {"root ::= [a", "without its closing ]"},
      {"root ::= [a-", "without its closing ]"},
      {"root ::= []", "matches nothing"},
      {"root ::= [^\\U00000000-\\U0010FFFF]", "matches nothing"},
      {"root ::= [z-a]", "grammar:1:11: a range whose end is below its start"},
      {"root ::= (\"x\"", "want ) to close a group"},
      {"root ::= \"x\")", "want the end of the rule"},
      {"root ::= \"\\q\"", "grammar:1:11: unknown escape"},
      {"root ::= \"\\x4\"", "fewer than 2 hex digits"},
      {"root ::= \"\\uD800\"", "not a Unicode character"},
      {"root ::= \"\\U00110000\"", "not a Unicode character"},
      {"root ::= \"\xFF\"", "invalid UTF-8"},
      {"root ::= \"\xED\x95\x9C\" ?? {", "want a number of repetitions"},
      {"root ::= \"x\"{3,2}", "maximum is below its minimum"},
      {"root ::= \"x\"{2", "want } to close"},
      {"root ::= * \"x\"", "want the end of the rule"},
      {"root ::= <think>", "token references"},
      {"root ::= !<[5]>", "token references"},
      {"?", "got \"?\", want a rule name"},
      {std::string("root ::= \"x\"\n\0", 14), "want a rule name"},
  };
  for (const Case& c : cases) {
    const auto syntax = ParseGbnf(c.text, {});
    ASSERT_FALSE(syntax.has_value()) << c.text;
    EXPECT_THAT(syntax.error().message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(syntax.error().message.find('\n'), std::string::npos);
  }
}

TEST(GbnfParser, HostileTextEndsInAnError) {
  const std::string nested(60'000, '(');
  EXPECT_EQ(ParseGbnf("root ::= " + nested, {}).error().code, ErrorCode::kResource);
  EXPECT_EQ(ParseGbnf("root ::= \"x\"{0,1000000000}", {}).error().code, ErrorCode::kResource);
  EXPECT_EQ(ParseGbnf("root ::= \"x\"{99999999999999999999999}", {}).error().code,
            ErrorCode::kResource);
  EXPECT_EQ(ParseGbnf("root ::= \"x\"" + std::string(1000, '*'), {}).error().code,
            ErrorCode::kResource);
  EXPECT_EQ(ParseGbnf(std::string(2 << 20, ' '), {}).error().code, ErrorCode::kResource);
  std::string many = "root ::= \"x\"\n";
  for (int i = 0; i < 30'000; ++i) many += "r" + std::to_string(i) + " ::= \"x\"\n";
  EXPECT_EQ(ParseGbnf(many, {}).error().code, ErrorCode::kResource);
}

TEST(GbnfParser, EveryCutOfAGrammarIsReadOrRefused) {
  const std::string text = "root ::= (a | \"x\\n\"){2,} [^\\x00-\\x1F]?\na ::= . \"\\u00e9\"+ #c\n";
  ASSERT_TRUE(ParseGbnf(text, {}).has_value());
  for (size_t length = 0; length < text.size(); ++length) {
    const auto syntax = ParseGbnf(text.substr(0, length), {});
    if (!syntax) {
      EXPECT_THAT(syntax.error().message, HasSubstr("grammar:"));
    }
  }
}

}  // namespace
}  // namespace vade::runtime
