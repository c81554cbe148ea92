// Glob matching and ignore files, case by case of gitignore(5), and hostile patterns.
#include "ingest/ignore_rules.h"

#include <gtest/gtest.h>

#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

using Verdict = IgnoreRules::Verdict;

TEST(GlobMatch, FollowsTheManual) {
  EXPECT_TRUE(GlobMatch("*.md", "a.md"));
  EXPECT_FALSE(GlobMatch("*.md", "x/a.md"));
  EXPECT_TRUE(GlobMatch("a?c", "abc"));
  EXPECT_FALSE(GlobMatch("a?c", "a/c"));
  EXPECT_TRUE(GlobMatch("[a-c]x", "bx"));
  EXPECT_FALSE(GlobMatch("[!a-c]x", "bx"));
  EXPECT_TRUE(GlobMatch("[]x]", "]"));
  EXPECT_TRUE(GlobMatch("\\*", "*"));
  EXPECT_FALSE(GlobMatch("\\*", "a"));
  EXPECT_TRUE(GlobMatch("**/foo", "foo"));
  EXPECT_TRUE(GlobMatch("**/foo", "a/b/foo"));
  EXPECT_TRUE(GlobMatch("a/**", "a/b/c"));
  EXPECT_FALSE(GlobMatch("a/**", "a"));
  EXPECT_TRUE(GlobMatch("a/**/b", "a/b"));
  EXPECT_TRUE(GlobMatch("a/**/b", "a/x/y/b"));
  EXPECT_FALSE(GlobMatch("a/**/b", "a/x/y/c"));
  EXPECT_TRUE(GlobMatch("[", "["));  // an unclosed class is itself
  EXPECT_TRUE(GlobMatch("*", "\xFF\xFE"));
}

TEST(GlobMatch, HostilePatternsStayCheap) {
  const std::string stars = Repeat("*a", 2000) + "b";
  const std::string name(4000, 'a');
  EXPECT_LT(FastestOfThree([&] { EXPECT_FALSE(GlobMatch(stars, name)); }), 0.5);
  const std::string folders = Repeat("**/", 600) + "x";
  EXPECT_LT(FastestOfThree([&] { EXPECT_FALSE(GlobMatch(folders, Repeat("a/", 600) + "b")); }),
            0.5);
}

TEST(IgnoreRules, LastMatchDecides) {
  IgnoreRules rules;
  rules.AddFile("",
                "# comment\n\n*.log\n!keep.log\r\n/top.txt\nbuild/\n\\#hash\ntrail \ndoc/*.tmp\n");
  EXPECT_EQ(rules.Match("a.log", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("deep/a.log", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("keep.log", false), Verdict::kIncluded);
  EXPECT_EQ(rules.Match("top.txt", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("deep/top.txt", false), Verdict::kUndecided);
  EXPECT_EQ(rules.Match("build", true), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("build", false), Verdict::kUndecided);
  EXPECT_EQ(rules.Match("#hash", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("trail", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("doc/x.tmp", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("a/doc/x.tmp", false), Verdict::kUndecided);
}

TEST(IgnoreRules, HoldOnlyBelowTheirFolder) {
  IgnoreRules rules;
  rules.AddFile("sub", "*.txt\n/only.md\n");
  EXPECT_EQ(rules.Match("sub/a.txt", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("a.txt", false), Verdict::kUndecided);
  EXPECT_EQ(rules.Match("subway/a.txt", false), Verdict::kUndecided);
  EXPECT_EQ(rules.Match("sub/only.md", false), Verdict::kIgnored);
  EXPECT_EQ(rules.Match("sub/x/only.md", false), Verdict::kUndecided);
}

TEST(IgnoreRules, AHostileFileIsCapped) {
  IgnoreRules rules;
  rules.AddFile("", Repeat("x\n", 100'000));
  EXPECT_EQ(rules.size(), IgnoreRules::kMaxRules);
}

TEST(BuiltInIgnoreRules, CoverSecretsAndLeftovers) {
  const IgnoreRules& rules = BuiltInIgnoreRules();
  for (const char* path : {".env", ".env.local", "server.pem", "id_rsa", "id_rsa.pub", "a/b/x.kdbx",
                           "~$report.docx", "Thumbs.db", "a.txt~", ".netrc"}) {
    EXPECT_EQ(rules.Match(path, false), Verdict::kIgnored) << path;
  }
  for (const char* path : {".git", ".ssh", "node_modules", "a/__pycache__"}) {
    EXPECT_EQ(rules.Match(path, true), Verdict::kIgnored) << path;
  }
  for (const char* path : {"manual.pdf", "environment.md", "keys.md", "readme.asc"}) {
    EXPECT_EQ(rules.Match(path, false), Verdict::kUndecided) << path;
  }
}

}  // namespace
}  // namespace vade::ingest
