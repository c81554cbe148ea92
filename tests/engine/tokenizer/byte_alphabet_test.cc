// Tests of engine/tokenizer/byte_alphabet.
#include "engine/tokenizer/byte_alphabet.h"

#include <gtest/gtest.h>

#include "engine/base/utf8.h"

namespace vade::tokenizer {
namespace {

TEST(ByteAlphabet, KnownCharacters) {
  EXPECT_EQ(ToByteAlphabet(" a\n"),
            "\xC4\xA0"
            "a"
            "\xC4\x8A");  // U+0120, a, U+010A
  EXPECT_EQ(CharOfByte(0xAD), 0x143u);
  EXPECT_EQ(CharOfByte(0xFF), 0xFFu);
}

TEST(ByteAlphabet, EveryByteComesBack) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  const std::string text = ToByteAlphabet(bytes);
  EXPECT_TRUE(utf8::IsValid(text));
  EXPECT_EQ(utf8::CountCodePoints(text), 256u);
  EXPECT_EQ(FromByteAlphabet(text), bytes);
}

TEST(ByteAlphabet, OtherCharactersStandForThemselves) {
  EXPECT_EQ(FromByteAlphabet("\xEF\xBD\x9C"
                             "a b"),
            "\xEF\xBD\x9C"
            "a b");
  EXPECT_EQ(FromByteAlphabet("\xC5\x84"), "\xC5\x84");  // U+0144, one past the alphabet
}

}  // namespace
}  // namespace vade::tokenizer
