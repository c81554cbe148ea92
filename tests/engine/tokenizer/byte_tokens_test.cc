// Tests of engine/tokenizer/byte_tokens.
#include "engine/tokenizer/byte_tokens.h"

#include <gtest/gtest.h>

#include "tests/engine/tokenizer/tiny_vocabulary.h"

namespace vade::tokenizer {
namespace {

TEST(ByteTokens, OnlyTheExactForm) {
  EXPECT_EQ(ParseByteToken("<0x00>"), 0);
  EXPECT_EQ(ParseByteToken("<0xfF>"), 255);
  for (const char* text :
       {"", "<0x-1>", "<0xZZ>", "<0x1>", "<0x100>", "0x00", "<0X00>", "<0x0G>"}) {
    EXPECT_FALSE(ParseByteToken(text)) << text;
  }
}

TEST(ByteTokens, NamedOrPlainOrNone) {
  TinyVocabulary tiny;
  tiny.Add("<0x41>", gguf::TokenType::kByte);
  tiny.Add("B");
  const std::string bytes = tiny.ToBytes();
  const Vocabulary vocabulary = Vocabulary::Load(testing::ParseGguf(bytes).value()).value();
  const auto ids = FindByteTokens(vocabulary, TokenIndex(vocabulary));
  EXPECT_EQ(ids['A'], 0);
  EXPECT_EQ(ids['B'], 1);
  EXPECT_EQ(ids['C'], TokenIndex::kNone);
}

}  // namespace
}  // namespace vade::tokenizer
