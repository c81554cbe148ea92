// faults.md 14 and 15: vocabularies and special ids that do not hold together.
#include "engine/tokenizer/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/gguf_builder.h"

namespace vade::tokenizer {
namespace {

using ::testing::HasSubstr;

struct Parts {
  std::vector<std::string_view> tokens = {"a", "b", "c"};
  std::vector<int32_t> types = {1, 3, 1};
  std::vector<float> scores = {0, 0, 0};
};

Result<Vocabulary> Load(const Parts& parts) {
  gguf::Writer writer;
  writer.AddArray<std::string_view>("tokenizer.ggml.tokens", parts.tokens);
  writer.AddArray<int32_t>("tokenizer.ggml.token_type", parts.types);
  writer.AddArray<float>("tokenizer.ggml.scores", parts.scores);
  const std::string bytes = writer.ToBytes().value();
  return Vocabulary::Load(testing::ParseGguf(bytes).value());
}

TEST(Vocabulary, HoldsTextsAndTypes) {
  const auto vocabulary = Load({});
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->size(), 3u);
  EXPECT_EQ(vocabulary->text(1), "b");
  EXPECT_EQ(vocabulary->type(1), TokenType::kControl);
  EXPECT_TRUE(vocabulary->Contains(2));
  EXPECT_FALSE(vocabulary->Contains(3));
  EXPECT_FALSE(vocabulary->Contains(-1));
}

TEST(Vocabulary, Fault14LengthsAndTypes) {
  EXPECT_THAT(Load({.tokens = {}, .types = {}, .scores = {}}).error().message,
              HasSubstr("the vocabulary is empty"));
  EXPECT_THAT(Load({.types = {1}}).error().message,
              HasSubstr("token_type: has 1 entries, the vocabulary has 3 tokens"));
  EXPECT_THAT(Load({.scores = {1}}).error().message, HasSubstr("scores: has 1 entries"));
  EXPECT_THAT(Load({.types = {1, 7, 1}}).error().message, HasSubstr("token 1 has unknown type 7"));
  EXPECT_THAT(Load({.types = {1, -1, 1}}).error().message, HasSubstr("unknown type -1"));
}

TEST(Vocabulary, Fault15TenMegabyteToken) {
  const std::string huge(10'000'000, 'x');
  EXPECT_THAT(Load({.tokens = {"a", huge, "c"}}).error().message,
              HasSubstr("token 1 has 10000000 bytes, limit 1024"));
}

TEST(Vocabulary, MissingOrWrongKeys) {
  gguf::Writer writer;
  writer.Add("tokenizer.ggml.tokens", "not an array");
  const std::string bytes = writer.ToBytes().value();
  EXPECT_THAT(Vocabulary::Load(testing::ParseGguf(bytes).value()).error().message,
              HasSubstr("got type string, expected array of string"));
}

TEST(SpecialId, Fault14GivenAndDefaultIds) {
  gguf::Writer writer;
  writer.Add("given", uint32_t{5});
  const std::string bytes = writer.ToBytes().value();
  const gguf::File file = testing::ParseGguf(bytes).value();
  EXPECT_EQ(SpecialId(file, "given", 6, std::nullopt).value(), 5);
  EXPECT_THAT(SpecialId(file, "given", 5, std::nullopt).error().message,
              HasSubstr("key given: id 5 is outside the vocabulary of 5"));
  EXPECT_EQ(SpecialId(file, "absent", 200, 101).value(), 101);
  EXPECT_THAT(SpecialId(file, "absent", 20, 101).error().message,
              HasSubstr("absent, and the default id 101 is outside the vocabulary of 20"));
  EXPECT_FALSE(SpecialId(file, "absent", 20, std::nullopt).value().has_value());
}

}  // namespace
}  // namespace vade::tokenizer
