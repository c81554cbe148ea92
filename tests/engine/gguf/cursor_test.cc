// Tests of engine/gguf/cursor.
#include "engine/gguf/cursor.h"

#include <gtest/gtest.h>

namespace vade::gguf {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Cursor, ReadsLittleEndianAndAdvances) {
  Cursor in(Bytes(std::string_view("\x01\x02\x00\x00\xFF", 5)), "f");
  EXPECT_EQ(in.Read<uint32_t>("x").value(), 0x0201u);
  EXPECT_EQ(in.offset(), 4u);
  EXPECT_EQ(in.remaining(), 1u);
  EXPECT_EQ(in.Read<uint8_t>("y").value(), 0xFFu);
}

TEST(Cursor, TruncationNamesFileOffsetAndField) {
  Cursor in(Bytes("abc"), "model.gguf");
  const auto value = in.Read<uint32_t>("tensor count");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kCorruptData);
  EXPECT_EQ(value.error().message,
            "model.gguf: byte 0: tensor count: truncated at 3: needs 4 bytes, 3 left");
  EXPECT_EQ(in.offset(), 0u);
}

TEST(Cursor, StringLengthIsCheckedAgainstLimitAndFile) {
  const std::string huge(8, '\xFF');  // length 2^64-1
  Cursor over_limit(Bytes(huge), "f");
  EXPECT_NE(over_limit.ReadString(100, "key").error().message.find("limit 100"), std::string::npos);
  const std::string_view five("\x05\0\0\0\0\0\0\0abcd", 12);
  Cursor too_short(Bytes(five), "f");
  EXPECT_NE(too_short.ReadString(100, "key").error().message.find("truncated at 12"),
            std::string::npos);
}

TEST(Cursor, NamesFromTheFileAreEscaped) {
  const Cursor in(Bytes(""), "f");
  const auto error = in.Reject(ErrorCode::kCorruptData, 7, "a\x1b[31m\n", "bad");
  EXPECT_EQ(error.value().message, "f: byte 7: a\\x1b[31m\\n: bad");
}

}  // namespace
}  // namespace vade::gguf
