#include "engine/runtime/utf8_ranges.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/utf8.h"

namespace vade::runtime {
namespace {

size_t CountMatches(const std::vector<ByteSequence>& sequences, const std::string& bytes) {
  size_t count = 0;
  for (const ByteSequence& sequence : sequences) {
    bool inside = sequence.length == bytes.size();
    for (size_t i = 0; inside && i < bytes.size(); ++i) {
      const auto byte = static_cast<uint8_t>(bytes[i]);
      inside = sequence.bytes[i].low <= byte && byte <= sequence.bytes[i].high;
    }
    count += inside ? 1 : 0;
  }
  return count;
}

bool Contains(const std::vector<CodePointRange>& ranges, char32_t c) {
  for (const CodePointRange& range : ranges) {
    if (range.low <= c && c <= range.high) return true;
  }
  return false;
}

// Each code point is written by exactly one sequence or by none, as the set says.
TEST(Utf8Ranges, SequencesAreExactlyTheSet) {
  const std::vector<std::vector<CodePointRange>> sets = {
      {{0, 0x10FFFF}},
      {{'a', 'z'}},
      {{0x7E, 0x801}},
      {{0xAC00, 0xD7A3}},
      {{0x20AC, 0x20AC}},
      {{0xFFFF, 0x10000}},
      {{0x1234, 0x54321}, {'x', 'x'}, {0x10FFFE, 0x10FFFF}},
  };
  for (const auto& set : sets) {
    const auto ranges = Normalised(set);
    const auto sequences = ToByteSequences(ranges);
    for (char32_t c = 0; c <= 0x10FFFF; c += (c < 0x3000 ? 1 : 7)) {
      if (c >= 0xD800 && c <= 0xDFFF) continue;
      std::string bytes;
      utf8::Append(c, bytes);
      ASSERT_EQ(CountMatches(sequences, bytes), Contains(set, c) ? 1u : 0u) << uint32_t{c};
    }
  }
}

TEST(Utf8Ranges, SurrogatesAndTooLargeAreDropped) {
  EXPECT_TRUE(Normalised({{0xD800, 0xDFFF}}).empty());
  const auto ranges = Normalised({{0xD7FF, 0xE000}, {0x10FFFF, 0xFFFFFFFF}});
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[0].high, char32_t{0xD7FF});
  EXPECT_EQ(ranges[1].low, char32_t{0xE000});
  EXPECT_EQ(ranges[2].high, char32_t{0x10FFFF});
}

TEST(Utf8Ranges, ComplementAndIntersection) {
  const auto outside = Complement({{'b', 'd'}, {'c', 'f'}});
  EXPECT_TRUE(Contains(outside, 'a'));
  EXPECT_FALSE(Contains(outside, 'b'));
  EXPECT_FALSE(Contains(outside, 'f'));
  EXPECT_TRUE(Contains(outside, 'g'));
  EXPECT_TRUE(Contains(outside, 0x10FFFF));
  EXPECT_TRUE(Complement({{0, 0x10FFFF}}).empty());
  const auto both = Intersection({{'a', 'm'}}, {{'k', 'z'}});
  ASSERT_EQ(both.size(), 1u);
  EXPECT_EQ(both[0].low, char32_t{'k'});
  EXPECT_EQ(both[0].high, char32_t{'m'});
}

}  // namespace
}  // namespace vade::runtime
