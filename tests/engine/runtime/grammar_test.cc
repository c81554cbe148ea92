#include "engine/runtime/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/runtime/grammar_checks.h"

namespace vade::runtime {
namespace {

using ::testing::HasSubstr;

void ExpectSet(std::string_view gbnf, const std::vector<std::string>& accepted,
               const std::vector<std::string>& rejected) {
  for (const std::string& text : accepted) EXPECT_TRUE(Accepts(gbnf, text)) << gbnf << ": " << text;
  for (const std::string& text : rejected)
    EXPECT_FALSE(Accepts(gbnf, text)) << gbnf << ": " << text;
}

TEST(Grammar, LiteralsSequencesAndAlternatives) {
  ExpectSet("root ::= \"ab\" (\"c\" | \"de\") | \"\"", {"", "abc", "abde"},
            {"a", "ab", "abd", "abcd", "x"});
}

TEST(Grammar, Quantifiers) {
  ExpectSet("root ::= \"a\"*", {"", "a", "aaaa"}, {"b", "ab"});
  ExpectSet("root ::= \"a\"+ \"b\"?", {"a", "aab"}, {"", "b", "abb"});
  ExpectSet("root ::= [ab]{2}", {"ab", "bb"}, {"a", "aba"});
  ExpectSet("root ::= (\"ab\" | \"c\"){2,3}", {"abab", "cab", "ccc"}, {"ab", "cccc"});
  ExpectSet("root ::= \"a\"{2,} \"!\"", {"aa!", "aaaaa!"}, {"a!", "aa"});
  ExpectSet("root ::= \"a\"{0} \"b\"", {"b"}, {"ab", "a"});
  ExpectSet("root ::= \"a\"{0,2}", {"", "a", "aa"}, {"aaa"});
}

TEST(Grammar, QuantifiersOfWhatMayBeEmptyEnd) {
  ExpectSet("root ::= (\"a\"?)* \"b\"", {"b", "aab"}, {"a"});
  ExpectSet("root ::= ((\"a\"*)*)+ ", {"", "aaa"}, {"b"});
  ExpectSet("root ::= (\"\" | \"a\"){3,}", {"", "a", "aaaa"}, {"b"});
  ExpectSet("root ::= e* \"x\"\ne ::= \"\" | f\nf ::= \"\" | \"y\"", {"x", "yyx"}, {"y"});
}

TEST(Grammar, ClassesAndAnyCharacter) {
  ExpectSet("root ::= [^a-c\"]", {"d", " ", "\xED\x95\x9C", "\n"}, {"a", "b", "\"", "", "dd"});
  ExpectSet("root ::= [\xEA\xB0\x80-\xED\x9E\xA3]+", {"\xED\x95\x9C\xEA\xB8\x80"},
            {"a", "\xED\x95"});
  ExpectSet("root ::= .", {"a", "\n", "\xF0\x9F\x98\x80", std::string(1, '\0')},
            {"", "ab", "\xFF"});
  ExpectSet("root ::= [a-]", {"a", "-"}, {"b"});
  ExpectSet("root ::= [\\x41\\u00E9\\]\\\\]", {"A", "\xC3\xA9", "]", "\\"}, {"\xE9", "["});
}

TEST(Grammar, Recursion) {
  const char* balanced = "root ::= \"(\" root \")\" root | \"\"";
  ExpectSet(balanced, {"", "()", "(())()"}, {"(", ")", "(()"});
  const char* arithmetic =
      "root ::= term ([-+] term)*\nterm ::= factor ([*/] factor)*\n"
      "factor ::= [0-9]+ | \"(\" root \")\"";
  ExpectSet(arithmetic, {"1", "1+2*(3-4)", "((7))"}, {"", "1+", "(1", "1)"});
  const char* right = "root ::= \"a\" root | \"a\"";
  EXPECT_TRUE(Accepts(right, std::string(20'000, 'a')));
}

TEST(Grammar, LeftRecursionIsRefused) {
  for (const char* gbnf : {
           "root ::= root \"a\" | \"a\"",
           "root ::= x\nx ::= y \"a\"\ny ::= x | \"b\"",
           "root ::= \"\" root \"a\" | \"b\"",
           "root ::= \"a\"? root",
           "root ::= e e x\ne ::= \"e\"*\nx ::= e root",
           "root ::= (root)* \"a\"",
           "root ::= \"x\"\nunused ::= unused",
           "root ::= (\"a\" | (root \"b\"){2,3})",
       }) {
    const auto grammar = Grammar::Parse(gbnf);
    ASSERT_FALSE(grammar.has_value()) << gbnf;
    EXPECT_EQ(grammar.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(grammar.error().message, HasSubstr("left recursion"));
  }
}

TEST(Grammar, SizeIsLimited) {
  std::string large = "root ::= ";
  for (int i = 0; i < 20; ++i) large += "(\"abc\" [^x]){0,90000} ";
  const auto grammar = Grammar::Parse(large);
  ASSERT_FALSE(grammar.has_value());
  EXPECT_EQ(grammar.error().code, ErrorCode::kResource);
  // Nested repetitions share their items instead of multiplying.
  const auto nested = Grammar::Parse("root ::= (((\"x\"{1000}){1000}){1000}){1000}");
  ASSERT_TRUE(nested.has_value());
  EXPECT_LT(nested->num_nodes(), 10'000u);
}

TEST(Grammar, LongChainsOfRulesDoNotRecurse) {
  std::string chain = "root ::= r0\n";
  for (int i = 0; i < 19'000; ++i) {
    chain += "r" + std::to_string(i) + " ::= r" + std::to_string(i + 1) + "\n";
  }
  chain += "r19000 ::= \"x\"\n";
  EXPECT_TRUE(Accepts(chain, "x"));
}

TEST(Grammar, BytesNoRuleTellsApartShareAClass) {
  const auto grammar = Grammar::Parse("root ::= [0-9]+ \"x\"");
  ASSERT_TRUE(grammar.has_value());
  EXPECT_EQ(grammar->num_classes(), 5u);
  EXPECT_EQ(grammar->class_of('0'), grammar->class_of('9'));
  EXPECT_NE(grammar->class_of('x'), grammar->class_of('y'));
}

}  // namespace
}  // namespace vade::runtime
