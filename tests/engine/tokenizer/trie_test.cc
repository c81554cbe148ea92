// Tests of engine/tokenizer/trie.
#include "engine/tokenizer/trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace vade::tokenizer {
namespace {

TEST(Trie, LongestPrefixWins) {
  Trie trie;
  trie.Insert("un", 1);
  trie.Insert("unable", 2);
  const auto unable = trie.LongestPrefix("unables");
  EXPECT_EQ(unable.value, 2);
  EXPECT_EQ(unable.length, 6u);
  EXPECT_EQ(trie.LongestPrefix("unabl").value, 1);
  EXPECT_EQ(trie.LongestPrefix("xun").value, Trie::kNoValue);
  EXPECT_EQ(trie.LongestPrefix("").length, 0u);
}

TEST(Trie, FirstValueOfAKeyStays) {
  Trie trie;
  trie.Insert("a", 1);
  trie.Insert("a", 2);
  EXPECT_EQ(trie.LongestPrefix("a").value, 1);
}

TEST(Trie, EmptyKeyIsTheRoot) {
  Trie trie;
  EXPECT_EQ(trie.ValueAt(Trie::kRoot), Trie::kNoValue);
  trie.Insert("", 7);
  EXPECT_EQ(trie.ValueAt(Trie::kRoot), 7);
}

TEST(Trie, AgreesWithAMapThroughManyGrowths) {
  std::mt19937 rng(3);
  std::map<std::string, int32_t> keys;
  Trie trie;
  for (int32_t i = 0; i < 5000; ++i) {
    std::string key;
    for (uint32_t n = 1 + rng() % 8; n > 0; --n) key.push_back(static_cast<char>(rng() % 256));
    if (keys.emplace(key, i).second) trie.Insert(key, i);
  }
  for (const auto& [key, value] : keys) {
    const auto match = trie.LongestPrefix(key);
    ASSERT_EQ(match.value, value);
    ASSERT_EQ(match.length, key.size());
  }
}

}  // namespace
}  // namespace vade::tokenizer
