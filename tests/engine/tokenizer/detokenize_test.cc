// Tests of engine/tokenizer/detokenize.
#include "engine/tokenizer/detokenize.h"

#include <gtest/gtest.h>

namespace vade::tokenizer {
namespace {

TEST(Detokenize, WordStartsBecomeSpaces) {
  EXPECT_EQ(WordStartsToSpaces("\xE2\x96\x81the"), " the");
  EXPECT_EQ(WordStartsToSpaces("a\xE2\x96\x81\xE2\x96\x81"), "a  ");
  EXPECT_EQ(WordStartsToSpaces("\xE2\x96"), "\xE2\x96");
  EXPECT_EQ(WordStartsToSpaces(""), "");
}

TEST(Detokenize, CleanUpFollowsEnglishTypography) {
  EXPECT_EQ(CleanUpSpaces("is it ? yes , it is . go !"), "is it? yes, it is. go!");
  EXPECT_EQ(CleanUpSpaces("don ' t"), "don't");
  EXPECT_EQ(CleanUpSpaces("we 've , it 's , I 'm , you 're"), "we've, it's, I'm, you're");
  EXPECT_EQ(CleanUpSpaces("I 'll"), "I 'll");
  EXPECT_EQ(CleanUpSpaces("a : b ; c"), "a : b ; c");
  EXPECT_EQ(CleanUpSpaces(" ' ' ' "), "'''");
  EXPECT_EQ(CleanUpSpaces(""), "");
}

}  // namespace
}  // namespace vade::tokenizer
