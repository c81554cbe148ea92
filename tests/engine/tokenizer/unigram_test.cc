// Tests of engine/tokenizer/unigram and charsmap.
#include "engine/tokenizer/unigram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/engine/tokenizer/tiny_vocabulary.h"

namespace vade::tokenizer {
namespace {

using gguf::TokenType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kSpace(gguf::kWordStart);

TinyVocabulary Make(bool merge_spaces) {
  TinyVocabulary out;
  out.writer.Add("tokenizer.ggml.model", "t5");
  out.writer.Add("tokenizer.ggml.add_space_prefix", true);
  out.writer.Add("tokenizer.ggml.remove_extra_whitespaces", merge_spaces);
  out.Add("<pad>", TokenType::kControl);
  out.Add("</s>", TokenType::kControl);
  out.Add("<unk>", TokenType::kUnknown);
  out.Add(kSpace, TokenType::kNormal, -2);        // 3
  out.Add("a", TokenType::kNormal, -2);           // 4
  out.Add("b", TokenType::kNormal, -3);           // 5
  out.Add("ab", TokenType::kNormal, -4.5);        // 6
  out.Add(kSpace + "a", TokenType::kNormal, -3);  // 7
  return out;
}

// A map that replaces "B" by "b" and "x" by nothing but a space, laid out by hand.
std::string TinyCharsmap() {
  std::vector<uint32_t> units(1024, 0);
  const auto unit = [](uint32_t offset, uint32_t label, bool value) {
    return offset << 10 | uint32_t{value} << 8 | label;
  };
  units[0] = unit(256, 0, false);
  units[256 ^ 'B'] = unit(512 ^ 256 ^ 'B', 'B', true);
  units[512] = 1U << 31 | 0;
  units[256 ^ 'x'] = unit(513 ^ 256 ^ 'x', 'x', true);
  units[513] = 1U << 31 | 2;
  std::string out(4 + 4 * units.size(), 0);
  const auto size = static_cast<uint32_t>(4 * units.size());
  std::memcpy(out.data(), &size, 4);
  std::memcpy(out.data() + 4, units.data(), size);
  return out + std::string("b\0 \0", 4);
}

void AddCharsmap(TinyVocabulary& vocabulary, const std::string& bytes) {
  const std::vector<int8_t> values(bytes.begin(), bytes.end());
  vocabulary.writer.AddArray<int8_t>("tokenizer.ggml.precompiled_charsmap", values);
}

TEST(Unigram, TheMostProbableWayCounts) {
  const auto tokenizer = Make(true).Load().value();
  EXPECT_THAT(tokenizer->Encode("ab", true, false), ElementsAre(7, 5, 1));
  EXPECT_THAT(tokenizer->Encode("bab", false, false), ElementsAre(3, 5, 6));
  EXPECT_TRUE(tokenizer->Encode("", false, false).empty());
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("ab a", false, false), {}), "ab a");
}

TEST(Unigram, UnknownCharactersInARowAreOneToken) {
  const auto tokenizer = Make(true).Load().value();
  EXPECT_THAT(tokenizer->Encode("a\xED\x95\x9C\xEA\xB0\x80zb", false, false), ElementsAre(7, 2, 5));
  EXPECT_THAT(tokenizer->Encode("\xFF", false, false), ElementsAre(3, 2));
}

TEST(Unigram, ExtraSpaces) {
  EXPECT_THAT(Make(true).Load().value()->Encode("  a   a ", false, false), ElementsAre(7, 7));
  EXPECT_THAT(Make(false).Load().value()->Encode(" a  ", false, false), ElementsAre(3, 7, 3, 3));
  EXPECT_TRUE(Make(true).Load().value()->Encode("   ", false, false).empty());
}

TEST(Unigram, CharactersAreMappedFirst) {
  TinyVocabulary vocabulary = Make(true);
  AddCharsmap(vocabulary, TinyCharsmap());
  const auto tokenizer = vocabulary.Load().value();
  EXPECT_THAT(tokenizer->Encode("aB", false, false), ElementsAre(7, 5));
  EXPECT_THAT(tokenizer->Encode("axa", false, false), ElementsAre(7, 7));
}

TEST(Unigram, BrokenCharsmapsAreRefusedOrHarmless) {
  const std::string good = TinyCharsmap();
  const auto load = [](const std::string& bytes) {
    TinyVocabulary vocabulary = Make(true);
    AddCharsmap(vocabulary, bytes);
    return vocabulary.Load();
  };
  for (const size_t size : {size_t{1}, size_t{3}, size_t{4}, size_t{100}, good.size() - 1}) {
    const auto loaded = load(good.substr(0, size));
    ASSERT_FALSE(loaded) << size;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorruptData);
    EXPECT_THAT(loaded.error().message, HasSubstr("precompiled_charsmap"));
  }
  // Offsets and values out of bounds: the text stays as it is.
  for (const uint32_t unit : {UINT32_MAX, 0x7FFFFFFFu, 0x00000342u}) {
    std::string bad = good;
    for (size_t i = 1; i < 1025; ++i) std::memcpy(bad.data() + 4 * i, &unit, 4);
    const auto tokenizer = load(bad);
    ASSERT_TRUE(tokenizer);
    EXPECT_FALSE((*tokenizer)->Encode("aBx", false, false).empty());
  }
}

TEST(Unigram, AMegabyteIsLinear) {
  const auto tokenizer = Make(true).Load().value();
  EXPECT_EQ(tokenizer->Encode(std::string(1 << 20, 'z'), false, false).size(), 2u);
}

}  // namespace
}  // namespace vade::tokenizer
