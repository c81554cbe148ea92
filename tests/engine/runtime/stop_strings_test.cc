#include "engine/runtime/stop_strings.h"

#include <gtest/gtest.h>

#include "engine/base/utf8.h"
#include "engine/runtime/random.h"

namespace vade::runtime {
namespace {

StopStrings Make(const std::vector<std::string>& stops) {
  auto matcher = StopStrings::Create(stops);
  EXPECT_TRUE(matcher.has_value());
  return std::move(matcher).value();
}

TEST(StopStrings, StopsAcrossPiecesAndDoesNotShowTheStop) {
  StopStrings stops = Make({"\nUser:"});
  EXPECT_EQ(stops.Append("Hello\n"), "Hello");
  EXPECT_EQ(stops.Append("Us"), "");
  EXPECT_EQ(stops.Append("er: more"), "");
  EXPECT_EQ(stops.stopped_by(), "\nUser:");
  EXPECT_EQ(stops.Append("dropped"), "");
  EXPECT_EQ(stops.Finish(), "");
}

TEST(StopStrings, ReleasesWhatDidNotBecomeAStop) {
  StopStrings stops = Make({"</s>"});
  EXPECT_EQ(stops.Append("a</"), "a");
  EXPECT_EQ(stops.Append("b>"), "</b>");
  EXPECT_EQ(stops.Append("<"), "");
  EXPECT_EQ(stops.Finish(), "<");
  EXPECT_FALSE(stops.stopped_by().has_value());
}

TEST(StopStrings, TheFirstCompleteWinsThenTheLongest) {
  StopStrings early = Make({"abcd", "c"});
  EXPECT_EQ(early.Append("xabcd"), "xab");
  EXPECT_EQ(early.stopped_by(), "c");
  StopStrings longest = Make({"d", "cd", "bcd"});
  EXPECT_EQ(longest.Append("abcd"), "a");
  EXPECT_EQ(longest.stopped_by(), "bcd");
}

TEST(StopStrings, FallsBackToAnOverlappingBeginning) {
  StopStrings stops = Make({"aab"});
  EXPECT_EQ(stops.Append("aaaaab!"), "aaa");
  EXPECT_EQ(stops.stopped_by(), "aab");
}

TEST(StopStrings, HoldsBackHalfACharacter) {
  StopStrings stops = Make({});
  EXPECT_EQ(stops.Append("a\xED\x95"), "a");
  EXPECT_EQ(stops.Append("\x9C"), "\xED\x95\x9C");
  EXPECT_EQ(stops.Append("\xF0\x9F\x98"), "");
  EXPECT_EQ(stops.Finish(), "\xEF\xBF\xBD");
}

TEST(StopStrings, InvalidBytesBecomeReplacementsAtOnce) {
  StopStrings stops = Make({});
  EXPECT_EQ(stops.Append("a\xFF\x80z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(stops.Append("\xC0"), "\xEF\xBF\xBD");
  EXPECT_EQ(stops.Append("\xE0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(StopStrings, StopsInsideACharacterKeepTheOutputValid) {
  StopStrings stops = Make({"\x9C!"});
  const std::string shown = stops.Append("\xED\x95\x9C!");
  EXPECT_TRUE(utf8::IsValid(shown));
  EXPECT_TRUE(stops.stopped_by().has_value());
}

// However the text is cut, the output is the text before the first stop.
TEST(StopStrings, CutsDoNotMatter) {
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "ab\xC3\xA9"[random.Next() % 4];
    const std::string whole = Make({"abb", "ba\xC3\xA9"}).Append(text);
    StopStrings pieces = Make({"abb", "ba\xC3\xA9"});
    std::string shown;
    for (size_t at = 0; at < text.size();) {
      const size_t length = 1 + random.Next() % 4;
      shown += pieces.Append(text.substr(at, length));
      EXPECT_TRUE(utf8::IsValid(shown));
      at += length;
    }
    const size_t stop = std::min(text.find("abb"), text.find("ba\xC3\xA9"));
    if (stop != text.npos) {
      EXPECT_EQ(shown, whole);
      EXPECT_EQ(shown, utf8::Repair(text.substr(0, stop)));
    } else {
      EXPECT_EQ(shown + pieces.Finish(), utf8::Repair(text));
    }
  }
}

TEST(StopStrings, LinearOnHostileText) {
  StopStrings stops = Make({std::string(4095, 'a') + "b"});
  std::string shown;
  for (int i = 0; i < 2'000; ++i) shown += stops.Append(std::string(500, 'a'));
  shown += stops.Finish();
  EXPECT_EQ(shown.size(), 1'000'000u);
}

TEST(StopStrings, LimitsAreErrors) {
  EXPECT_FALSE(StopStrings::Create({""}).has_value());
  EXPECT_FALSE(StopStrings::Create({std::string(5000, 'a')}).has_value());
  EXPECT_FALSE(StopStrings::Create(std::vector<std::string>(100'000, "a")).has_value());
}

}  // namespace
}  // namespace vade::runtime
