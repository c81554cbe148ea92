// Tests of engine/tokenizer/bpe: merging, whole words, framing, hostile files and texts.
#include "engine/tokenizer/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/engine/tokenizer/tiny_vocabulary.h"

namespace vade::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;
using gguf::TokenType;

TEST(Bpe, MergesByRankLeftmostFirst) {
  TinyVocabulary vocabulary = TinyVocabulary::OfBytes("gpt-2");
  const TokenId bc = vocabulary.AddMerge("b", "c");
  const TokenId ab = vocabulary.AddMerge("a", "b");
  const TokenId aa = vocabulary.AddMerge("a", "a");
  const auto tokenizer = vocabulary.Load().value();
  EXPECT_THAT(tokenizer->Encode("abc", false, false), ElementsAre('a', bc));
  EXPECT_THAT(tokenizer->Encode("abd", false, false), ElementsAre(ab, 'd'));
  EXPECT_THAT(tokenizer->Encode("aaa", false, false), ElementsAre(aa, 'a'));
  EXPECT_EQ(tokenizer->Decode(Ids{'a', bc}, {}), "abc");
}

TEST(Bpe, AnyBytesComeBack) {
  const auto tokenizer = TinyVocabulary::OfBytes("llama-bpe").Load().value();
  const std::string text = "\xED\x95\x9C \xF0\x9F\x98\x80\t\n e\xCC\x81";
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text, false, false), {}), text);
  EXPECT_EQ(tokenizer->Count(text), text.size());
  // Invalid UTF-8 reads as U+FFFD.
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("a\xFF", false, false), {}), "a\xEF\xBF\xBD");
}

TEST(Bpe, WholeWordsComeBeforeMergesWhereTheNameSaysSo) {
  for (const auto& [name, whole] : {std::pair{"llama-bpe", true}, {"gpt-2", false}}) {
    TinyVocabulary vocabulary = TinyVocabulary::OfBytes(name);
    const TokenId ab = vocabulary.AddMerge("a", "b");
    const TokenId xab = vocabulary.Add("xab");
    const auto tokenizer = vocabulary.Load().value();
    EXPECT_EQ(tokenizer->Encode("xab", false, false), whole ? Ids({xab}) : Ids({'x', ab})) << name;
  }
}

TEST(Bpe, ManyWordsGoThroughTheCacheAndStayTheSame) {
  TinyVocabulary vocabulary = TinyVocabulary::OfBytes("gpt-2");
  vocabulary.AddMerge("a", "b");
  vocabulary.AddMerge("ab", "a");
  vocabulary.AddMerge("b", "b");
  const auto tokenizer = vocabulary.Load().value();
  std::mt19937 random(1);
  std::string text;
  Ids want;
  while (text.size() < 20000) {
    std::string word = " ";
    for (size_t i = random() % 24; i > 0; --i) word.push_back("ab"[random() % 2]);
    const Ids ids = tokenizer->Encode(word + "!", false, false);
    want.insert(want.end(), ids.begin(), ids.end());
    text += word + "!";
  }
  EXPECT_EQ(tokenizer->Encode(text, false, false), want);
}

TEST(Bpe, AMegabyteOfOneLetterIsOneWord) {
  TinyVocabulary vocabulary = TinyVocabulary::OfBytes("gpt-2");
  std::string left = "a";
  for (int i = 0; i < 6; ++i) {
    vocabulary.AddMerge(left, left);
    left += left;
  }
  const auto tokenizer = vocabulary.Load().value();
  EXPECT_EQ(tokenizer->Count(std::string(1 << 20, 'a')), size_t{1} << 14);
}

TEST(Bpe, Fault20ControlTokensComeFromTextOnlyWhenAskedFor) {
  TinyVocabulary vocabulary = TinyVocabulary::OfBytes("llama-bpe");
  const TokenId end = vocabulary.Add("<|im_end|>", TokenType::kNormal);  // with a forgotten type
  const TokenId word = vocabulary.Add("STOP", TokenType::kControl);
  const TokenId user = vocabulary.Add("<u>", TokenType::kUserDefined);
  const auto tokenizer = vocabulary.Load().value();
  EXPECT_THAT(tokenizer->Encode("a<|im_end|>STOP<u>", false, true),
              ElementsAre('a', end, word, user));
  EXPECT_THAT(tokenizer->Encode("STOP<u>", false, false), ElementsAre('S', 'T', 'O', 'P', user));
  EXPECT_EQ(tokenizer->Count("<|im_end|>"), 10u);
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(end));
  EXPECT_TRUE(tokenizer->IsControl(end));
  EXPECT_FALSE(tokenizer->IsControl(user));
  EXPECT_EQ(tokenizer->special_ids().eot, end);
}

TEST(Bpe, AddedTokensAsTheFileSays) {
  TinyVocabulary vocabulary = TinyVocabulary::OfBytes("gpt-2");
  const TokenId bos = vocabulary.Add("<s>", TokenType::kControl);
  const TokenId eos = vocabulary.Add("</s>", TokenType::kControl);
  vocabulary.writer.Add("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(bos));
  vocabulary.writer.Add("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(eos));
  vocabulary.writer.Add("tokenizer.ggml.add_bos_token", true);
  vocabulary.writer.Add("tokenizer.ggml.add_eos_token", true);
  const auto tokenizer = vocabulary.Load().value();
  const Ids ids = tokenizer->Encode("a", true, false);
  EXPECT_THAT(ids, ElementsAre(bos, 'a', eos));
  EXPECT_EQ(tokenizer->num_added(), 2u);
  EXPECT_EQ(tokenizer->Decode(ids, {}), "<s>a</s>");
  EXPECT_EQ(tokenizer->Decode(ids, {.remove_added = true, .render_special = false}), "a");
}

TEST(Bpe, UnknownPreTokenizerIsUnsupported) {
  const auto loaded = TinyVocabulary::OfBytes("mystery\x1b").Load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(loaded.error().message, HasSubstr("tokenizer.ggml.pre: got \"mystery\\x1b\""));
}

TEST(Bpe, Fault15BrokenMerges) {
  const auto error_of = [](const std::string& merge) {
    TinyVocabulary vocabulary = TinyVocabulary::OfBytes("gpt-2");
    vocabulary.AddMerge("a", "b");
    vocabulary.merges.push_back(merge);
    const auto loaded = vocabulary.Load();
    EXPECT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorruptData);
    return loaded.error().message;
  };
  EXPECT_THAT(error_of("ab"), HasSubstr("merge 1 \"ab\": want two tokens with a space"));
  EXPECT_THAT(error_of(""), HasSubstr("want two tokens"));
  EXPECT_THAT(error_of("a nope"), HasSubstr("a half is not in the vocabulary"));
  EXPECT_THAT(error_of("b a"), HasSubstr("the joined token is not in the vocabulary"));
  EXPECT_THAT(error_of(std::string(5000, 'a') + " b"), HasSubstr("longer than two tokens"));
}

TEST(Bpe, Fault14And15IdsAndByteTokens) {
  TinyVocabulary far = TinyVocabulary::OfBytes("gpt-2");
  far.AddMerge("a", "b");
  far.writer.Add("tokenizer.ggml.eot_token_id", uint32_t{9999});
  EXPECT_THAT(far.Load().error().message, HasSubstr("eot_token_id"));

  TinyVocabulary missing = TinyVocabulary::OfBytes("gpt-2");
  missing.AddMerge("a", "b");
  missing.writer.Add("tokenizer.ggml.add_bos_token", true);
  EXPECT_THAT(missing.Load().error().message, HasSubstr("the file names no such token"));

  for (const char* name : {"<0x-1>", "<0xZZ>", "<0x1>", "x"}) {
    TinyVocabulary bytes = TinyVocabulary::OfBytes("gpt-2");
    bytes.AddMerge("a", "b");
    bytes.Add(name, TokenType::kByte);
    EXPECT_THAT(bytes.Load().error().message, HasSubstr("want <0xNN>")) << name;
  }
}

TEST(Bpe, BytesWithoutATokenVanish) {
  TinyVocabulary vocabulary;
  vocabulary.writer.Add("tokenizer.ggml.model", "gpt2");
  vocabulary.Add("a");
  vocabulary.Add("b");
  vocabulary.AddMerge("a", "b");
  const auto tokenizer = vocabulary.Load().value();  // and no name: the default rules
  EXPECT_THAT(tokenizer->Encode("abxa", false, false), ElementsAre(2, 0));
}

}  // namespace
}  // namespace vade::tokenizer
