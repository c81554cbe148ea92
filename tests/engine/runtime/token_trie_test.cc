#include "engine/runtime/token_trie.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::runtime {
namespace {

TEST(TokenTrie, IsThePreorderOfTheTexts) {
  const std::vector<std::string> texts = {"ab", "a", "", "b", "abc", "ab", std::string(2000, 'x')};
  const TokenTrie trie(texts);
  EXPECT_EQ(trie.vocab_size(), 7u);
  EXPECT_EQ(trie.max_depth(), 3u);
  EXPECT_EQ(trie.TextOf(4), "abc");
  EXPECT_EQ(trie.TextOf(2), "");
  EXPECT_EQ(trie.TextOf(6), "");  // too long
  EXPECT_EQ(trie.TextOf(-1), "");
  EXPECT_EQ(trie.TextOf(7), "");
  const auto nodes = trie.nodes();
  ASSERT_EQ(nodes.size(), 5u);  // a, ab, abc, b, end
  EXPECT_EQ(nodes[0].byte, 'a');
  EXPECT_EQ(nodes[0].subtree_end, 3u);
  EXPECT_EQ(nodes[2].depth, 3);
  EXPECT_EQ(nodes[3].byte, 'b');
  EXPECT_EQ(nodes[3].depth, 1);
  EXPECT_EQ(nodes[3].subtree_end, 4u);
  EXPECT_THAT(trie.tokens(), testing::ElementsAre(1, 0, 5, 4, 3));
  EXPECT_EQ(nodes[1].first_token, 1u);
  EXPECT_EQ(nodes[2].first_token, 3u);
}

TEST(TokenTrie, EmptyVocabulary) {
  const TokenTrie trie{std::vector<std::string>{}};
  EXPECT_EQ(trie.nodes().size(), 1u);
  EXPECT_EQ(trie.max_depth(), 0u);
}

}  // namespace
}  // namespace vade::runtime
