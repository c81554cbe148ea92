// Cleaning and line joining.
#include "ingest/normalise.h"

#include <gtest/gtest.h>

#include "tests/ingest/document_checks.h"
#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

std::string OneLine(std::string_view text) {
  std::string out;
  CleaningCounts counts;
  AppendOneLine(text, out, counts);
  return out;
}

std::string Verbatim(std::string_view text) {
  std::string out;
  CleaningCounts counts;
  AppendVerbatim(text, out, counts);
  return out;
}

TEST(Normalise, FoldsEveryKindOfSpace) {
  EXPECT_EQ(OneLine("  a \t\n b\u00a0\u3000c\u2028d  "), "a b c d");
  EXPECT_EQ(OneLine(" \u200b\n"), "");
}

TEST(Normalise, KeepsJoinersWhereScriptsNeedThem) {
  const std::string persian = "می\u200cخواهم";
  const std::string family = "\U0001F468\u200d\U0001F469";
  EXPECT_EQ(OneLine(persian), persian);
  EXPECT_EQ(OneLine(family), family);
  EXPECT_EQ(OneLine("pass\u200dword"), "password");
}

TEST(Normalise, RemovesWhatHidesText) {
  CleaningCounts counts;
  std::string out;
  AppendOneLine(std::string("a\0b\x1b[31m\u202e\u2066c\U000E0041\ufe0fd", 23), out, counts);
  EXPECT_EQ(out, "ab[31mcd");
  EXPECT_EQ(counts.invisible, 6u);
}

TEST(Normalise, VerbatimKeepsLinesAndIndent) {
  EXPECT_EQ(Verbatim("\n\n  if (x)\r\n\treturn;  \n\n  y\n\n"), "  if (x)\n\treturn;\n\n  y");
}

TEST(Normalise, JoinsHyphenatedWords) {
  EXPECT_EQ(JoinLines("high pres-\nsure in the self-\ntest of E-\n204"),
            "high pressure in the self-test of E- 204");
  EXPECT_EQ(JoinLines("soft\u00ad\nware"), "software");
  EXPECT_EQ(JoinLines("a -\nb"), "a - b");
  EXPECT_EQ(JoinLines("state-of-the-\nart"), "state-of-the-art");
}

TEST(Normalise, ChineseAndJapaneseLinesMeetWithoutSpace) {
  EXPECT_EQ(JoinLines("電源を\n切る"), "電源を切る");
  EXPECT_EQ(JoinLines("전원을\n끕니다"), "전원을 끕니다");
}

TEST(Normalise, ResultIsAlwaysValidNfcAndStable) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const std::string once = OneLine(HostileText(seed).Make(40));
    ASSERT_TRUE(utf8::IsValid(once));
    ASSERT_TRUE(IsNfc(once)) << once;
    ASSERT_EQ(OneLine(once), once) << seed;
    const std::string lines = Verbatim(HostileText(seed).Make(40));
    ASSERT_TRUE(utf8::IsValid(lines));
    ASSERT_TRUE(IsNfc(lines)) << lines;
  }
}

TEST(Normalise, LinearOnCombiningMarks) {
  for (const char* unit : {"\u0301", "e\u0301", "a-\n", "\n", "\u200b"}) {
    SCOPED_TRACE(unit);
    ExpectLinear([&](size_t bytes) { return Repeat(unit, bytes); },
                 [](const std::string& text) {
                   OneLine(text);
                   Verbatim(text);
                   (void)JoinLines(text);
                 });
  }
}

}  // namespace
}  // namespace vade::ingest
