#include "engine/runtime/regex_grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/runtime/gbnf_builder.h"
#include "tests/engine/runtime/grammar_checks.h"

namespace vade::runtime {
namespace {

// Whether the inside of a JSON string is written for the pattern.
bool Matches(std::string_view pattern, std::string_view inside) {
  const auto item = RegexGbnf(pattern);
  EXPECT_TRUE(item.has_value()) << pattern << ": " << item.error().message;
  return Accepts(GbnfBuilder().Finish(item.value_or("")), inside);
}

TEST(RegexGrammar, AnchoredPatterns) {
  EXPECT_TRUE(Matches("^[A-Z]{2}-\\d{3,4}$", "AB-1234"));
  EXPECT_FALSE(Matches("^[A-Z]{2}-\\d{3,4}$", "AB-12"));
  EXPECT_FALSE(Matches("^[A-Z]{2}-\\d{3,4}$", "xAB-123"));
  EXPECT_TRUE(Matches("^(?:yes|no)$", "no"));
  EXPECT_TRUE(Matches("^a+?b*$", "aab"));
  EXPECT_TRUE(Matches("^$", ""));
  EXPECT_FALSE(Matches("^$", "a"));
  EXPECT_TRUE(Matches("^\\u00e9\\x41\\.$",
                      "\xC3\xA9"
                      "A."));
  EXPECT_TRUE(Matches("^[^\\w]$", "-"));
  EXPECT_FALSE(Matches("^[^\\w]$", "_"));
  EXPECT_TRUE(Matches("^[a\\-z]$", "-"));
  EXPECT_FALSE(Matches("^[a\\-z]$", "b"));
}

TEST(RegexGrammar, UnanchoredPatternsMatchAnywhere) {
  EXPECT_TRUE(Matches("cat", "concatenate"));
  EXPECT_FALSE(Matches("cat", "dog"));
  EXPECT_TRUE(Matches("^a|b$", "axx"));
  EXPECT_TRUE(Matches("^a|b$", "xxb"));
  EXPECT_FALSE(Matches("^a|b$", "xbx"));
}

TEST(RegexGrammar, CharactersAreWrittenAsJson) {
  EXPECT_TRUE(Matches("^\"\\\\$", "\\\"\\\\"));
  EXPECT_FALSE(Matches("^.$", "\""));
  EXPECT_TRUE(Matches("^.$", "\\\""));
  EXPECT_FALSE(Matches("^.$", "\\n"));
  EXPECT_TRUE(Matches("^\\s$", "\\n"));
  EXPECT_FALSE(Matches("^\\s$", "\n"));
  EXPECT_TRUE(Matches("^\\x01$", "\\u0001"));
}

TEST(RegexGrammar, WhatIsNotReadIsAnError) {
  for (const char* pattern :
       {"(?=a)",         "(?<n>a)", "\\1",     "\\bword", "\\p{L}", "a^b",   "a$b", "(^a)",   "*a",
        "a**",           "(a",      "a)",      "[a",      "[]",     "[z-a]", "\\",  "a{3,2}", "a{",
        "a{9999999999}", "\\u12",   "\\ud800", "\xFF"}) {
    const auto item = RegexGbnf(pattern);
    ASSERT_FALSE(item.has_value()) << pattern;
    EXPECT_THAT(item.error().message, testing::HasSubstr("pattern at character ")) << pattern;
  }
  EXPECT_EQ(RegexGbnf(std::string(60'000, '(')).error().code, ErrorCode::kResource);
}

}  // namespace
}  // namespace vade::runtime
