// Tests of engine/tokenizer/stream_decoder.
#include "engine/tokenizer/stream_decoder.h"

#include <gtest/gtest.h>

#include "tests/engine/tokenizer/tiny_vocabulary.h"

namespace vade::tokenizer {
namespace {

class StreamDecoderTest : public ::testing::Test {
 protected:
  // Each byte of `bytes` as a token of its own; what each push gave, with "|" between.
  std::string Stream(std::string_view bytes) {
    StreamDecoder decoder(*tokenizer_);
    std::string out;
    for (const char byte : bytes) {
      out += decoder.Push(static_cast<uint8_t>(byte)) + "|";
    }
    return out + decoder.Finish();
  }

  std::unique_ptr<Tokenizer> tokenizer_ = [] {
    TinyVocabulary vocabulary = TinyVocabulary::OfBytes("gpt-2");
    vocabulary.AddMerge("a", "b");
    vocabulary.Add("<|im_end|>", gguf::TokenType::kControl);
    return vocabulary.Load().value();
  }();
};

TEST_F(StreamDecoderTest, CharactersComeWhole) {
  EXPECT_EQ(Stream("a\xED\x95\x9C!"), "a|||\xED\x95\x9C|!|");
  EXPECT_EQ(Stream("\xF0\x9F\x98\x80"), "|||\xF0\x9F\x98\x80|");
  EXPECT_EQ(Stream("\xC3\xA9\xC3\xA9"), "|\xC3\xA9||\xC3\xA9|");
}

TEST_F(StreamDecoderTest, WhatCanBeNoCharacterIsReplacedAtOnce) {
  EXPECT_EQ(Stream("\xFF"
                   "a"),
            "\xEF\xBF\xBD|a|");
  EXPECT_EQ(Stream("\xED\x95"
                   "a"),
            "||\xEF\xBF\xBD"
            "a|");
  EXPECT_EQ(Stream("\xED\xA0"), "|\xEF\xBF\xBD\xEF\xBF\xBD|");  // a surrogate
}

TEST_F(StreamDecoderTest, AnUnfinishedEndIsRepaired) {
  EXPECT_EQ(Stream("a\xED\x95"), "a|||\xEF\xBF\xBD");
}

TEST_F(StreamDecoderTest, ControlTokensGiveNothing) {
  StreamDecoder decoder(*tokenizer_);
  EXPECT_EQ(decoder.Push(257), "");
  EXPECT_EQ(decoder.Push(256), "ab");
  EXPECT_EQ(decoder.Push(-5), "");
  EXPECT_EQ(decoder.Finish(), "");
}

}  // namespace
}  // namespace vade::tokenizer
