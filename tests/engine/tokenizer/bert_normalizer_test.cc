// Tests of engine/tokenizer/bert_normalizer.
#include "engine/tokenizer/bert_normalizer.h"

#include <gtest/gtest.h>

#include <vector>

namespace vade::tokenizer {
namespace {

using Words = std::vector<std::string>;

Words WordsOf(std::string_view text, const BertNormalizerOptions& options) {
  Words words;
  const BertNormalizer normalizer(options);
  normalizer.ForEachWord(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

constexpr BertNormalizerOptions kHuggingFace{.hugging_face = true};
constexpr BertNormalizerOptions kLlamaCpp{};

TEST(BertNormalizer, LowercasesAndSplitsPunctuation) {
  for (const auto& options : {kHuggingFace, kLlamaCpp}) {
    EXPECT_EQ(WordsOf("Press RESET (5 s).", options),
              (Words{"press", "reset", "(", "5", "s", ")", "."}));
    EXPECT_EQ(WordsOf("a$b+c", options), (Words{"a", "$", "b", "+", "c"}));
    EXPECT_EQ(WordsOf(" \t\r\n", options), Words{});
    EXPECT_EQ(WordsOf("", options), Words{});
  }
}

TEST(BertNormalizer, StripsAccentsComposedOrNot) {
  for (const auto& options : {kHuggingFace, kLlamaCpp}) {
    EXPECT_EQ(WordsOf("\u00C9t\u00E9 e\u0301", options), (Words{"ete", "e"}));
  }
}

TEST(BertNormalizer, ChineseCharactersStandAlone) {
  EXPECT_EQ(WordsOf("打开a盖", kHuggingFace), (Words{"打", "开", "a", "盖"}));
}

TEST(BertNormalizer, ControlAndFormatCharactersVanish) {
  EXPECT_EQ(WordsOf(std::string_view("a\0b\x01\x7F", 5), kHuggingFace), Words{"ab"});
  EXPECT_EQ(WordsOf("soft\u00ADhyphen zero\u200Bwidth", kHuggingFace),
            (Words{"softhyphen", "zerowidth"}));
  EXPECT_EQ(WordsOf("a\uFFFDb \xFF\xC3(", kHuggingFace), (Words{"ab", "("}));
}

TEST(BertNormalizer, TheTwoProgramsDifferOnHangulAndVerticalTab) {
  EXPECT_EQ(WordsOf("한", kHuggingFace), Words{"\u1112\u1161\u11AB"});
  EXPECT_EQ(WordsOf("한", kLlamaCpp), Words{"\u1112"});
  EXPECT_EQ(WordsOf("a\vb", kHuggingFace), Words{"ab"});
  EXPECT_EQ(WordsOf("a\vb", kLlamaCpp), (Words{"a", "b"}));
}

TEST(BertNormalizer, CasedModelsKeepCaseAndAccents) {
  const BertNormalizerOptions cased{
      .hugging_face = true, .lowercase = false, .strip_accents = false};
  EXPECT_EQ(WordsOf("\u00C9t\u00E9", cased), Words{"\u00C9t\u00E9"});
}

TEST(BertNormalizer, EveryCodePointGivesValidUtf8) {
  const BertNormalizer normalizer(kHuggingFace);
  for (char32_t c = 0; c <= 0x10FFFF; c += 7) {
    std::string text;
    utf8::Append(c, text);
    normalizer.ForEachWord(
        text, [&](std::string_view word) { ASSERT_TRUE(utf8::IsValid(word)) << uint32_t{c}; });
  }
}

}  // namespace
}  // namespace vade::tokenizer
