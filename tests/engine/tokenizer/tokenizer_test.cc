// Tests of engine/tokenizer/tokenizer.
#include "engine/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/gguf_builder.h"

namespace vade::tokenizer {
namespace {

using ::testing::HasSubstr;

TEST(Tokenizer, KindIsChosenByName) {
  gguf::Writer writer;
  testing::AddBertVocabulary(writer);
  const std::string bytes = writer.ToBytes().value();
  EXPECT_TRUE(Tokenizer::Load(testing::ParseGguf(bytes).value()));
}

TEST(Tokenizer, UnknownAndMissingKinds) {
  gguf::Writer unknown;
  unknown.Add("tokenizer.ggml.model", "rwkv\x1b");
  const std::string bytes = unknown.ToBytes().value();
  const auto loaded = Tokenizer::Load(testing::ParseGguf(bytes).value());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(loaded.error().message, HasSubstr("tokenizer.ggml.model: got \"rwkv\\x1b\""));
  const std::string empty = gguf::Writer().ToBytes().value();
  EXPECT_THAT(Tokenizer::Load(testing::ParseGguf(empty).value()).error().message,
              HasSubstr("tokenizer.ggml.model: missing"));
}

}  // namespace
}  // namespace vade::tokenizer
