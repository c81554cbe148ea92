// Tests of engine/tokenizer/special_roles.
#include "engine/tokenizer/special_roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/tokenizer/tiny_vocabulary.h"

namespace vade::tokenizer {
namespace {

using gguf::TokenType;
using ::testing::ElementsAre;

struct Loaded {
  SpecialRoles roles;
  Vocabulary vocabulary;
};

Loaded Load(TinyVocabulary tiny) {
  const std::string bytes = tiny.ToBytes();
  const auto file = testing::ParseGguf(bytes).value();
  Loaded out{{}, Vocabulary::Load(file).value()};
  out.roles = LoadSpecialRoles(file, {.eos = 0}, out.vocabulary).value();
  return out;
}

TEST(SpecialRoles, EndsByKeyAndByName) {
  TinyVocabulary tiny;
  tiny.Add("a");
  tiny.Add("<|endoftext|>", TokenType::kControl);
  tiny.Add("<|im_end|>", TokenType::kNormal);
  tiny.Add("b");
  tiny.Add("<|file_sep|>", TokenType::kUserDefined);
  tiny.writer.Add("tokenizer.ggml.eom_token_id", uint32_t{3});
  const Loaded loaded = Load(std::move(tiny));
  EXPECT_THAT(loaded.roles.ends, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(loaded.roles.ids.eot, 2);
  EXPECT_EQ(loaded.vocabulary.type(2), TokenType::kControl);
  EXPECT_EQ(loaded.vocabulary.type(4), TokenType::kControl);
  EXPECT_EQ(loaded.vocabulary.type(3), TokenType::kNormal);
}

TEST(SpecialRoles, AKeyForAFillTokenLeavesNamesAlone) {
  TinyVocabulary tiny;
  tiny.Add("a");
  tiny.Add("<|fim_prefix|>", TokenType::kUserDefined);
  tiny.Add("<|fim_suffix|>", TokenType::kUserDefined);
  tiny.writer.Add("tokenizer.ggml.fim_pre_token_id", uint32_t{1});
  const Loaded loaded = Load(std::move(tiny));
  EXPECT_EQ(loaded.vocabulary.type(1), TokenType::kUserDefined);
  EXPECT_EQ(loaded.vocabulary.type(2), TokenType::kControl);
}

TEST(SpecialRoles, TheEndOfAnInnerMessageIsNoEnd) {
  TinyVocabulary tiny;
  tiny.Add("a");
  tiny.Add("<|end|>", TokenType::kControl);
  tiny.Add("<|return|>", TokenType::kControl);
  tiny.Add("<|call|>", TokenType::kControl);
  EXPECT_THAT(Load(std::move(tiny)).roles.ends, ElementsAre(0, 2, 3));
}

TEST(SpecialRoles, WhiteSpaceThatGoesWithATokenByModel) {
  TinyVocabulary phi;
  phi.writer.Add("general.name", "Phi-3 Mini");
  phi.Add("a");
  phi.Add("<s>", TokenType::kControl);
  phi.Add("<|user|>", TokenType::kControl);
  EXPECT_THAT(Load(std::move(phi)).roles.strips_right, ElementsAre(2));

  TinyVocabulary jina;
  jina.writer.Add("tokenizer.ggml.pre", "jina-v2-de");
  jina.Add("a");
  jina.Add("<mask>", TokenType::kControl);
  EXPECT_THAT(Load(std::move(jina)).roles.strips_left, ElementsAre(1));
}

}  // namespace
}  // namespace vade::tokenizer
