// Tests of engine/tokenizer/token_index.
#include "engine/tokenizer/token_index.h"

#include <gtest/gtest.h>

#include "tests/engine/tokenizer/tiny_vocabulary.h"

namespace vade::tokenizer {
namespace {

TEST(TokenIndex, EveryTokenIsFoundAndNothingElse) {
  TinyVocabulary tiny;
  for (int i = 0; i < 3000; ++i)
    tiny.Add(std::string(static_cast<size_t>(i % 19), 'x') + std::to_string(i));
  const TokenId control = tiny.Add("<s>", gguf::TokenType::kControl);
  const TokenId again = tiny.Add("xx2");  // the text of token 2
  const std::string bytes = tiny.ToBytes();
  const Vocabulary vocabulary = Vocabulary::Load(testing::ParseGguf(bytes).value()).value();
  const TokenIndex index(vocabulary);
  for (TokenId id = 0; id < control; ++id) {
    EXPECT_EQ(index.Find(vocabulary, vocabulary.text(id)), id);
  }
  EXPECT_EQ(index.Find(vocabulary, "<s>"), TokenIndex::kNone);
  EXPECT_EQ(index.Find(vocabulary, vocabulary.text(again)), 2);
  EXPECT_EQ(index.Find(vocabulary, "x"), TokenIndex::kNone);
  EXPECT_EQ(index.Find(vocabulary, ""), TokenIndex::kNone);
}

}  // namespace
}  // namespace vade::tokenizer
