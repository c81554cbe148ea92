// Tests of engine/tokenizer/word_cache.
#include "engine/tokenizer/word_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace vade::tokenizer {
namespace {

using Ids = std::vector<TokenId>;

TEST(WordCache, RemembersShortWordsOnly) {
  WordCache cache;
  Ids out;
  cache.Insert("word", Ids{1, 2});
  EXPECT_FALSE(cache.Append("word", out));  // not enabled
  cache.Enable();
  cache.Insert("word", Ids{1, 2});
  EXPECT_TRUE(cache.Append("word", out));
  EXPECT_TRUE(cache.Append("word", out));
  EXPECT_EQ(out, (Ids{1, 2, 1, 2}));
  EXPECT_FALSE(cache.Append("other", out));
  EXPECT_FALSE(cache.Append(std::string("word\0", 5), out));  // padding is no part of a word
  cache.Insert(std::string(17, 'x'), Ids{1});
  EXPECT_FALSE(cache.Append(std::string(17, 'x'), out));
  cache.Insert("many", Ids{1, 2, 3, 4, 5});
  EXPECT_FALSE(cache.Append("many", out));
  EXPECT_FALSE(cache.Append("", out));
}

TEST(WordCache, CollisionsEvictAndNeverMix) {
  WordCache cache;
  cache.Enable();
  for (TokenId i = 0; i < 50000; ++i) cache.Insert(std::to_string(i), Ids{i});
  size_t found = 0;
  for (TokenId i = 0; i < 50000; ++i) {
    Ids out;
    if (!cache.Append(std::to_string(i), out)) continue;
    ++found;
    EXPECT_EQ(out, Ids{i});
  }
  EXPECT_GT(found, 1000u);
}

}  // namespace
}  // namespace vade::tokenizer
