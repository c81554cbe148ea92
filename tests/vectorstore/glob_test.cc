#include "vectorstore/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace vade::vectorstore {
namespace {

TEST(Glob, Wildcards) {
  EXPECT_TRUE(GlobMatches("*.md", "a/b.md"));
  EXPECT_TRUE(GlobMatches("a?c", "abc"));
  EXPECT_FALSE(GlobMatches("a?c", "ac"));
  EXPECT_TRUE(GlobMatches("[a-c]x[!0-9]", "bxz"));
  EXPECT_FALSE(GlobMatches("[a-c]x[!0-9]", "bx5"));
  EXPECT_TRUE(GlobMatches("\\*", "*"));
  EXPECT_FALSE(GlobMatches("\\*", "x"));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "x"));
  EXPECT_TRUE(GlobMatches("**", ""));
  EXPECT_TRUE(GlobMatches("[", "["));
  EXPECT_TRUE(GlobMatches("[]]", "]"));
  EXPECT_TRUE(GlobMatches("한*", "한국어"));
}

TEST(Glob, PathsMatchWholeLastComponentOrFolder) {
  EXPECT_TRUE(PathMatches("b.md", "a/b.md"));
  EXPECT_TRUE(PathMatches("a", "a/b.md"));
  EXPECT_TRUE(PathMatches("a/", "a/b.md"));
  EXPECT_FALSE(PathMatches("a", "ab/b.md"));
  EXPECT_FALSE(PathMatches("", "a"));
}

TEST(Glob, NoPatternTakesLong) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace vade::vectorstore
