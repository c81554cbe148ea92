// Pieces of tricky strings by each published expression.
#include "engine/tokenizer/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vade::tokenizer {
namespace {

using ::testing::ElementsAre;
using Pieces = std::vector<std::string>;

Pieces Split(std::string_view name, std::string_view text) {
  const PreTokenizer* pre_tokenizer = PreTokenizer::Find(name);
  EXPECT_NE(pre_tokenizer, nullptr) << name;
  Pieces out;
  size_t begin = 0;
  for (const size_t end : pre_tokenizer->Split(text)) {
    EXPECT_GT(end, begin);
    out.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return out;
}

TEST(PreTokenizer, UnknownNamesAndEmptyText) {
  EXPECT_EQ(PreTokenizer::Find("no-such-model"), nullptr);
  EXPECT_EQ(PreTokenizer::Find(""), nullptr);
  EXPECT_TRUE(Split("gpt-2", "").empty());
}

TEST(PreTokenizer, ContractionsKeepTheirCaseRules) {
  EXPECT_THAT(Split("gpt-2", "I'm we'LL"), ElementsAre("I", "'m", " we", "'", "LL"));
  EXPECT_THAT(Split("llama-bpe", "I'm we'LL"), ElementsAre("I", "'m", " we", "'LL"));
  EXPECT_THAT(Split("qwen2", "x'Re'vE'd"), ElementsAre("x", "'Re", "'vE", "'d"));
  EXPECT_THAT(Split("gpt-4o", "we'LL x"), ElementsAre("we'LL", " x"));
  EXPECT_THAT(Split("tekken", "we'll"), ElementsAre("we", "'ll"));
  EXPECT_THAT(Split("ufakzeka", "Ali'ye"), ElementsAre("Ali", "'ye"));
  // The apostrophe at the end, and a letter that only looks like s.
  EXPECT_THAT(Split("llama-bpe", "x'"), ElementsAre("x", "'"));
  EXPECT_THAT(Split("llama-bpe", "x'\xC5\xBF"), ElementsAre("x", "'\xC5\xBF"));
}

TEST(PreTokenizer, DigitsInGroups) {
  EXPECT_THAT(Split("gpt-2", "a 12345"), ElementsAre("a", " 12345"));
  EXPECT_THAT(Split("llama-bpe", "a 12345"), ElementsAre("a", " ", "123", "45"));
  EXPECT_THAT(Split("qwen2", "123"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(Split("starcoder", "x 12"), ElementsAre("x", " ", "1", "2"));
  EXPECT_THAT(Split("falcon", "12345"), ElementsAre("123", "45"));
  EXPECT_THAT(Split("deepseek-v3", "12345"), ElementsAre("123", "45"));
  EXPECT_THAT(Split("deepseek-llm", "12345"), ElementsAre("12345"));
  EXPECT_THAT(Split("viking", "a12"), ElementsAre("a", "1", "2"));
  // Digits of other scripts and fractions are numbers, too.
  EXPECT_THAT(Split("llama-bpe",
                    "\xC2\xBD\xE0\xA5\xA7"
                    "23"),
              ElementsAre("\xC2\xBD\xE0\xA5\xA7"
                          "2",
                          "3"));
}

TEST(PreTokenizer, SpacesBeforeText) {
  EXPECT_THAT(Split("gpt-2", "a   b"), ElementsAre("a", "  ", " b"));
  EXPECT_THAT(Split("gpt-2", "a  "), ElementsAre("a", "  "));
  EXPECT_THAT(Split("gpt-2", "a\t\tb"), ElementsAre("a", "\t", "\t", "b"));
  EXPECT_THAT(Split("llama-bpe", "a\t\tb"), ElementsAre("a", "\t", "\tb"));
  EXPECT_THAT(Split("llama-bpe", "a \n\n  b"), ElementsAre("a", " \n\n", " ", " b"));
  EXPECT_THAT(Split("llama-bpe", "a.\n\nb"), ElementsAre("a", ".\n\n", "b"));
  EXPECT_THAT(Split("seed-coder", "a.\n\nb"), ElementsAre("a", ".", "\n\n", "b"));
  EXPECT_THAT(Split("bailingmoe", "a\n\n\nb"), ElementsAre("a", "\n\n\n", "b"));
  EXPECT_THAT(Split("tekken", "a/\nb"), ElementsAre("a", "/\n", "b"));
  EXPECT_THAT(Split("deepseek-llm", "a  \n b "), ElementsAre("a", "  ", "\n", " b", " "));
  EXPECT_THAT(Split("gemma4", "a b\n\nc"), ElementsAre("a b", "\n\n", "c"));
}

TEST(PreTokenizer, SpacesOfOtherKinds) {
  // No-break and ideographic spaces are white space, but only U+0020 joins a word in GPT-2.
  EXPECT_THAT(Split("gpt-2",
                    "a\xC2\xA0"
                    "b"),
              ElementsAre("a", "\xC2\xA0", "b"));
  EXPECT_THAT(Split("llama-bpe",
                    "a\xC2\xA0"
                    "b"),
              ElementsAre("a",
                          "\xC2\xA0"
                          "b"));
  EXPECT_THAT(Split("llama-bpe",
                    "a\xE3\x80\x80\xE3\x80\x80"
                    "b"),
              ElementsAre("a", "\xE3\x80\x80",
                          "\xE3\x80\x80"
                          "b"));
  // U+3000 is in deepseek's list of wide punctuation, but is white space first.
  EXPECT_THAT(Split("deepseek-llm",
                    "\xE3\x80\x82\xE3\x80\x80"
                    "x"),
              ElementsAre("\xE3\x80\x82",
                          "\xE3\x80\x80"
                          "x"));
}

TEST(PreTokenizer, ScriptsMarksAndSymbols) {
  // Hangul and Han are letters.
  EXPECT_THAT(Split("gpt-2", "\xEC\x84\x9C\xEB\xB2\x84 \xE4\xB8\xAD"),
              ElementsAre("\xEC\x84\x9C\xEB\xB2\x84", " \xE4\xB8\xAD"));
  EXPECT_THAT(Split("deepseek-v3", "a\xE4\xB8\xAD\xE3\x81\x82"),
              ElementsAre("a", "\xE4\xB8\xAD\xE3\x81\x82"));
  EXPECT_THAT(Split("deepseek-coder", "a\xE4\xB8\xAD"), ElementsAre("a", "\xE4\xB8\xAD"));
  // A combining acute ends a word, except where marks count as letters.
  EXPECT_THAT(Split("llama-bpe", "e\xCC\x81x"), ElementsAre("e", "\xCC\x81x"));
  EXPECT_THAT(Split("qwen35", "e\xCC\x81x"), ElementsAre("e\xCC\x81x"));
  EXPECT_THAT(Split("deepseek-v3", "e\xCC\x81x"), ElementsAre("e\xCC\x81x"));
  EXPECT_THAT(Split("gpt-2", "a \xF0\x9F\x98\x80!"), ElementsAre("a", " \xF0\x9F\x98\x80!"));
  EXPECT_THAT(Split("falcon", "a+`b"), ElementsAre("a", "+`", "b"));
  EXPECT_THAT(Split("default", "a+`b"), ElementsAre("a", "+", "`", "b"));
  EXPECT_THAT(Split("deepseek-v3", ".foo(x)"), ElementsAre(".foo", "(x", ")"));
  EXPECT_THAT(Split("bloom", "a, b(c|d"), ElementsAre("a", ",", " b", "(", "c", "|", "d"));
}

TEST(PreTokenizer, HumpsOfCamelCase) {
  EXPECT_THAT(Split("tekken", "camelCaseXMLFile"), ElementsAre("camel", "Case", "XMLFile"));
  EXPECT_THAT(Split("gpt-4o", "fooBAR baz"), ElementsAre("foo", "BAR", " baz"));
  EXPECT_THAT(Split("llama-bpe", "camelCase"), ElementsAre("camelCase"));
}

TEST(PreTokenizer, NothingIsQuadratic) {
  // A run that each expression might scan again from every place in it. At 1 MB a quadratic one
  // would take minutes.
  for (const char* name : {"gpt-2", "llama-bpe", "deepseek-llm", "deepseek-coder", "deepseek-v3",
                           "tekken", "gpt-4o", "bailingmoe", "falcon", "bloom", "qwen35"}) {
    for (const std::string unit : {" ", "\n", "A", "a", "1", "'", "\xCC\x81"}) {
      std::string text;
      while (text.size() < 1 << 20) text += unit;
      text += "x";
      const auto start = std::chrono::steady_clock::now();
      EXPECT_FALSE(PreTokenizer::Find(name)->Split(text).empty());
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << name;
    }
  }
}

}  // namespace
}  // namespace vade::tokenizer
