// Tests of engine/tokenizer/wordpiece.
#include "engine/tokenizer/wordpiece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <string>

#include "engine/gguf/names.h"
#include "tests/support/gguf_builder.h"

namespace vade::tokenizer {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

// Of AddBertVocabulary: 1 [UNK], 2 [CLS], 3 [SEP]; letter x starts a word as Start(x), continues
// one as Start(x) + 1; further tokens from 57.
constexpr TokenId Start(char letter) { return 5 + 2 * (letter - 'a'); }
constexpr TokenId kPump = 57;
constexpr TokenId kIng = 58;
constexpr TokenId kTheWithMark = 59;

std::unique_ptr<Tokenizer> Make(bool hugging_face) {
  gguf::Writer writer;
  const std::vector<std::string> more = {"\xE2\x96\x81pump", "ing", "\xE2\x96\x81the"};
  testing::AddBertVocabulary(writer, more);
  if (hugging_face) writer.Add(gguf::kNormalizerKey, gguf::kHuggingFaceNormalizer);
  const std::string bytes = writer.ToBytes().value();
  return std::move(*Tokenizer::Load(testing::ParseGguf(bytes).value()));
}

TEST(WordPiece, LongestPieceFirst) {
  const auto tokenizer = Make(true);
  EXPECT_EQ(tokenizer->Encode("Pumping", false, false), (Ids{kPump, kIng}));
  EXPECT_EQ(tokenizer->Encode("pumpin", false, false),
            (Ids{kPump, Start('i') + 1, Start('n') + 1}));
  EXPECT_EQ(tokenizer->Encode("pump", true, false), (Ids{2, kPump, 3}));
  EXPECT_EQ(tokenizer->Encode("", true, false), (Ids{2, 3}));
  EXPECT_EQ(tokenizer->vocab_size(), 60u);
  EXPECT_EQ(tokenizer->num_added(), 2u);
}

TEST(WordPiece, AWordWithAnUnknownPartIsUnknownAsAWhole) {
  const auto tokenizer = Make(true);
  EXPECT_EQ(tokenizer->Encode("pump9 the", false, false), (Ids{1, kTheWithMark}));
}

TEST(WordPiece, CountAgreesWithEncode) {
  const auto tokenizer = Make(true);
  for (const std::string_view text : {"", "pumping the x9 [SEP] abc", "\xFF", "한글"}) {
    EXPECT_EQ(tokenizer->Count(text), tokenizer->Encode(text, false, false).size());
  }
}

TEST(WordPiece, WordsOverAHundredCharactersAreUnknownToHuggingFaceOnly) {
  const std::string at_limit(100, 'a');
  const std::string over(101, 'a');
  EXPECT_EQ(Make(true)->Encode(at_limit, false, false).size(), 100u);
  EXPECT_EQ(Make(true)->Encode(over, false, false), Ids{1});
  EXPECT_EQ(Make(false)->Encode(over, false, false).size(), 101u);
}

TEST(WordPiece, SpecialTokensOnlyWhenAskedFor) {
  const auto tokenizer = Make(true);
  EXPECT_EQ(tokenizer->Encode("pump[SEP]", false, true), (Ids{kPump, 3}));
  EXPECT_EQ(tokenizer->Encode("pump[SEP]", false, false).front(), kPump);
  EXPECT_EQ(tokenizer->Encode("pump[SEP]", false, false).size(), 6u);  // pump [ s e p ]
}

TEST(WordPiece, DecodeOptions) {
  const auto tokenizer = Make(true);
  const Ids ids = {2, kPump, kIng, 1, 3};
  EXPECT_EQ(tokenizer->Decode(ids, {}), "[CLS] pumping[UNK][SEP]");
  EXPECT_EQ(tokenizer->Decode(ids, {.remove_added = true}), " pumping[UNK]");
  EXPECT_EQ(tokenizer->Decode(ids, {.render_special = false}), " pumping");
  EXPECT_EQ(tokenizer->Decode(Ids{-1, 60, 1 << 30}, {}), "");
}

TEST(WordPiece, Fault14DefaultIdsOutsideATinyVocabulary) {
  gguf::Writer writer;
  const std::vector<std::string_view> tokens = {"a", "b"};
  writer.Add("tokenizer.ggml.model", "bert");
  writer.AddArray<std::string_view>("tokenizer.ggml.tokens", tokens);
  const std::string bytes = writer.ToBytes().value();
  EXPECT_THAT(Tokenizer::Load(testing::ParseGguf(bytes).value()).error().message,
              HasSubstr("default id 100 is outside the vocabulary of 2"));
}

TEST(WordPiece, UnknownNormalizerIsRefused) {
  gguf::Writer writer;
  testing::AddBertVocabulary(writer);
  writer.Add(gguf::kNormalizerKey, "other");
  const std::string bytes = writer.ToBytes().value();
  EXPECT_EQ(Tokenizer::Load(testing::ParseGguf(bytes).value()).error().code,
            ErrorCode::kUnsupported);
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Texts made to defeat a greedy matcher: 16 times the text is 16 times the work, not 256 times.
TEST(WordPiece, LinearOnHostileText) {
  const auto tokenizer = Make(false);
  const auto seconds = [&](const std::string& text) {
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
      const double start = ThreadSeconds();
      EXPECT_GT(tokenizer->Encode(text, false, true).size(), 0u);
      best = std::min(best, ThreadSeconds() - start);
    }
    return best;
  };
  for (const std::string unit : {"a", "[", "[CLS", "pumpin", "e\u0301", ".", "한"}) {
    std::string once;
    while (once.size() < 40'000) once += unit;
    std::string much;
    for (int i = 0; i < 16; ++i) much += once;
    EXPECT_LT(seconds(much), 64 * seconds(once)) << unit;
  }
}

}  // namespace
}  // namespace vade::tokenizer
