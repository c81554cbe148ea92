// Tests of engine/tokenizer/char_features.
#include "engine/tokenizer/char_features.h"

#include <gtest/gtest.h>

namespace vade::tokenizer {
namespace {

constexpr uint32_t kCategories = kLetter | kNumber | kMark | kPunctuation | kSymbol | kWhiteSpace;

uint32_t CategoryOf(char32_t c) { return FeaturesOf(c, 0) & kCategories; }

TEST(CharFeatures, EveryCharacterHasAtMostOneCategory) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    const uint32_t bits = CategoryOf(c);
    ASSERT_EQ(bits & (bits - 1), 0u) << static_cast<uint32_t>(c);
    ASSERT_NE(FeaturesOf(c, 0) & kAnyChar, 0u);
  }
}

TEST(CharFeatures, Categories) {
  EXPECT_EQ(CategoryOf('x'), kLetter);
  EXPECT_EQ(CategoryOf(0xD55C), kLetter);
  EXPECT_EQ(CategoryOf(0x2EBF0), kLetter);  // Unicode 15.1
  EXPECT_EQ(CategoryOf(0xBD), kNumber);
  EXPECT_EQ(CategoryOf(0x301), kMark);
  EXPECT_EQ(CategoryOf(0x3002), kPunctuation);
  EXPECT_EQ(CategoryOf('~'), kSymbol);
  EXPECT_EQ(CategoryOf(0xA0), kWhiteSpace);
  EXPECT_EQ(CategoryOf(0x85), kWhiteSpace);
  EXPECT_EQ(CategoryOf('\v'), kWhiteSpace);
  EXPECT_EQ(CategoryOf(0x200B), 0u);
  EXPECT_EQ(CategoryOf(0x1C), 0u);
}

TEST(CharFeatures, ListsOfModels) {
  EXPECT_NE(FeaturesOf(0x00E9, kDeepSeekLetter) & kDeepSeekLetter, 0u);
  EXPECT_EQ(FeaturesOf(0x01BB, kDeepSeekLetter) & kDeepSeekLetter, 0u);  // a letter without case
  EXPECT_NE(FeaturesOf(0x9FA5, kDeepSeekCjk | kHanOrKana) & kHanOrKana, 0u);
  EXPECT_EQ(FeaturesOf(0x9FA6, kDeepSeekCjk | kHanOrKana) & (kDeepSeekCjk | kHanOrKana), 0u);
  EXPECT_NE(FeaturesOf(0xFF0C, kSentenceEnd) & kSentenceEnd, 0u);
  EXPECT_EQ(FeaturesOf(0x3000, kDeepSeekPrintable) & kDeepSeekPrintable, 0u);
  EXPECT_EQ(FeaturesOf('7', 0) & kDeepSeekPrintable, 0u);
  EXPECT_NE(FeaturesOf('Q', 0) & kDeepSeekPrintable, 0u);
}

}  // namespace
}  // namespace vade::tokenizer
