// Tests of engine/gguf/value.
#include "engine/gguf/value.h"

#include <gtest/gtest.h>

#include "tests/support/gguf_builder.h"

namespace vade::gguf {
namespace {

TEST(Value, EveryScalarTypeIsReadExactlyAsItself) {
  Writer writer;
  writer.Add("u8", uint8_t{200});
  writer.Add("i8", int8_t{-100});
  writer.Add("u16", uint16_t{60000});
  writer.Add("i16", int16_t{-30000});
  writer.Add("u32", uint32_t{4000000000});
  writer.Add("i32", int32_t{-2000000000});
  writer.Add("u64", uint64_t{1} << 63);
  writer.Add("i64", int64_t{-5});
  writer.Add("f32", 0.5f);
  writer.Add("f64", -0.25);
  writer.Add("bool", true);
  writer.Add("string", "a\x1b b");
  const std::string bytes = writer.ToBytes().value();
  const File file = testing::ParseGguf(bytes).value();
  const std::vector<std::string> shown = {
      "200", "-100", "60000", "-30000", "4000000000", "-2000000000", "9223372036854775808",
      "-5",  "0.5",  "-0.25", "true",   "a\\x1b b"};
  ASSERT_EQ(file.metadata().size(), shown.size());
  for (size_t i = 0; i < shown.size(); ++i) {
    const KeyValue& entry = file.metadata()[i];
    EXPECT_EQ(entry.value.TypeName(), entry.key);
    EXPECT_EQ(entry.value.ToDisplay(100), shown[i]);
  }
  EXPECT_EQ(file.FindKey("u8")->value.As<uint8_t>(), 200);
  EXPECT_EQ(file.FindKey("i64")->value.As<int64_t>(), -5);
  EXPECT_FALSE(file.FindKey("u8")->value.As<int8_t>());
  EXPECT_FALSE(file.FindKey("f64")->value.As<float>());
}

TEST(Value, ArraysAndTheirDisplay) {
  Writer writer;
  const std::vector<int32_t> numbers = {1, -2, 3};
  const std::vector<std::string_view> words = {"one", "", "three"};
  writer.AddArray<int32_t>("numbers", numbers);
  writer.AddArray<std::string_view>("words", words);
  const std::string bytes = writer.ToBytes().value();
  const File file = testing::ParseGguf(bytes).value();
  const Value& first = file.FindKey("numbers")->value;
  EXPECT_EQ(first.AsArray<int32_t>(), numbers);
  EXPECT_FALSE(first.AsArray<uint32_t>());
  EXPECT_FALSE(first.As<int32_t>());
  EXPECT_EQ(first.ToDisplay(100), "[1, -2, 3]");
  EXPECT_EQ(first.ToDisplay(3), "[1, -2, ... 3 in all]");
  EXPECT_EQ(file.FindKey("words")->value.AsArray<std::string_view>(), words);
  EXPECT_EQ(file.FindKey("words")->value.TypeName(), "array of string");
}

TEST(Value, LongTextIsCutOnACodePoint) {
  Writer writer;
  writer.Add("text", "aé한글");
  const std::string bytes = writer.ToBytes().value();
  const File file = testing::ParseGguf(bytes).value();
  EXPECT_EQ(file.FindKey("text")->value.ToDisplay(5), "aé...");
  EXPECT_EQ(file.FindKey("text")->value.ToDisplay(9), "aé한글");
}

TEST(Value, TypeFacts) {
  EXPECT_EQ(NameOf(ValueType::kString), "string");
  EXPECT_EQ(NameOf(static_cast<ValueType>(13)), "?");
  EXPECT_EQ(ScalarBytes(ValueType::kFloat64), 8u);
  EXPECT_EQ(ScalarBytes(ValueType::kString), 0u);
}

}  // namespace
}  // namespace vade::gguf
