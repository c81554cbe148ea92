// Tests of engine/base/utf8.
#include "engine/base/utf8.h"

#include <gtest/gtest.h>

#include <vector>

namespace vade::utf8 {
namespace {

TEST(Utf8, EveryCodePointRoundTrips) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    Append(c, text);
    const CodePoint decoded = Decode(text, 0);
    ASSERT_TRUE(decoded.valid);
    ASSERT_EQ(decoded.value, c);
    ASSERT_EQ(decoded.length, text.size());
    ASSERT_TRUE(IsValid(text));
  }
}

TEST(Utf8, AppendRefusesSurrogatesAndTooLargeValues) {
  for (const char32_t c : {0xD800u, 0xDFFFu, 0x110000u, 0xFFFFFFFFu}) {
    std::string text;
    Append(c, text);
    EXPECT_EQ(text, "\uFFFD");
  }
}

// Unicode 15, section 3.9: one U+FFFD for each maximal invalid prefix.
TEST(Utf8, InvalidSequencesConsumeTheirMaximalPrefix) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\x80", "\uFFFD"},
      {"\xC0\xAF", "\uFFFD\uFFFD"},                      // overlong
      {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},            // overlong
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},            // surrogate
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},  // above U+10FFFF
      {"\xE2\x82", "\uFFFD"},                            // cut short
      {"\xE2\x82x", "\uFFFDx"},
      {"\xF0\x9F\x98", "\uFFFD"},
      {"a\xFF"
       "b",
       "a\uFFFD"
       "b"},
  };
  for (const auto& [bytes, repaired] : cases) {
    EXPECT_FALSE(IsValid(bytes));
    EXPECT_EQ(Repair(bytes), repaired);
    EXPECT_TRUE(IsValid(Repair(bytes)));
  }
  EXPECT_EQ(Repair("한글 ok"), "한글 ok");
}

TEST(Utf8, FloorBoundaryNeverCutsACodePoint) {
  const std::string text = "a한😀";
  EXPECT_EQ(FloorBoundary(text, 0), 0u);
  EXPECT_EQ(FloorBoundary(text, 1), 1u);
  EXPECT_EQ(FloorBoundary(text, 3), 1u);
  EXPECT_EQ(FloorBoundary(text, 4), 4u);
  EXPECT_EQ(FloorBoundary(text, 7), 4u);
  EXPECT_EQ(FloorBoundary(text, 100), text.size());
  EXPECT_EQ(CountCodePoints(text), 3u);
}

TEST(Utf8, Fault36EscapeMakesAnyNameSafeToPrint) {
  EXPECT_EQ(Escape("plain 한글.md"), "plain 한글.md");
  EXPECT_EQ(Escape("a\nb\tc\x1b[31m"), "a\\nb\\tc\\x1b[31m");
  EXPECT_EQ(Escape("\xFF\xE2\x82"), "\\xff\\xe2\\x82");
  EXPECT_EQ(Escape("a\u202Egnp.exe"), "a\\u202egnp.exe");
  EXPECT_EQ(Escape("zero\u200Bwidth\uFEFF"), "zero\\u200bwidth\\ufeff");
  EXPECT_EQ(Escape("\x7F\u0085"), "\\x7f\\x85");
}

}  // namespace
}  // namespace vade::utf8
