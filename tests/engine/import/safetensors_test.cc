// Tests of engine/import/safetensors.
#include "engine/import/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace vade::import {
namespace {

using ::testing::HasSubstr;

std::string Image(const std::string& header, size_t data_bytes) {
  std::string out(8, '\0');
  const uint64_t size = header.size();
  std::memcpy(out.data(), &size, sizeof size);
  return out + header + std::string(data_bytes, '\0');
}

Result<SafeTensorsFile> Parse(const std::string& image) {
  return SafeTensorsFile::Parse(std::as_bytes(std::span(image)), "m.safetensors");
}

void ExpectRejected(const std::string& header, size_t data_bytes, const std::string& reason) {
  const auto file = Parse(Image(header, data_bytes));
  ASSERT_FALSE(file) << header;
  EXPECT_THAT(file.error().message, HasSubstr("m.safetensors: "));
  EXPECT_THAT(file.error().message, HasSubstr(reason));
}

TEST(SafeTensors, ReadsTensorsOfThreeFloatTypes) {
  std::string image = Image(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]},)"
      R"("c":{"dtype":"BF16","shape":[],"data_offsets":[12,14]},)"
      R"("d":{"dtype":"I64","shape":[0],"data_offsets":[14,14]}})",
      14);
  const float a[2] = {1.5f, -2.0f};
  const uint16_t rest[3] = {0x3C00, 0xC000, 0x4040};
  std::memcpy(image.data() + image.size() - 14, a, 8);
  std::memcpy(image.data() + image.size() - 6, rest, 6);
  const auto file = Parse(image);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->tensors().size(), 4u);
  EXPECT_EQ(file->ToFloats(*file->Find("a")).value(), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_EQ(file->ToFloats(*file->Find("b")).value(), (std::vector<float>{1.0f, -2.0f}));
  EXPECT_EQ(file->ToFloats(*file->Find("c")).value(), std::vector<float>{3.0f});
  EXPECT_EQ(file->Find("x"), nullptr);
}

TEST(SafeTensors, IntegersAreNotWeights) {
  const std::string image = Image(R"({"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8);
  const auto file = Parse(image);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->ToFloats(*file->Find("i")).error().code, ErrorCode::kUnsupported);
}

TEST(SafeTensors, HostileHeaders) {
  const auto tensor = [](const std::string& fields) { return "{\"t\":{" + fields + "}}"; };
  ExpectRejected("[]", 0, "not an object");
  ExpectRejected("{", 0, "not valid JSON");
  ExpectRejected("{\"t\":1}", 0, "description is not an object");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[1])"), 4, "missing");
  ExpectRejected(tensor(R"("dtype":"F99","shape":[1],"data_offsets":[0,4])"), 4, "is unknown");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), 4, "natural");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])"), 4, "natural");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,-4])"), 4, "two natural");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), 4, "disagree");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4, "disagree");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), 4, "ends at 8 of 4");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,4])"),
                 4, "too large");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])"), 4,
                 "disagree");
  ExpectRejected(tensor(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"), 4,
                 "at most 8");
  ExpectRejected(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                 R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                 8, "overlaps");
}

TEST(SafeTensors, HostileLengths) {
  EXPECT_THAT(Parse("abc").error().message, HasSubstr("truncated at 3"));
  std::string image = Image("{}", 0);
  for (const uint64_t size : {uint64_t{3}, uint64_t{1} << 40, UINT64_MAX}) {
    std::memcpy(image.data(), &size, sizeof size);
    EXPECT_THAT(Parse(image).error().message, HasSubstr("header of "));
  }
  const std::string whole = Image(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
  ASSERT_TRUE(Parse(whole));
  for (size_t cut = 0; cut < whole.size(); ++cut) EXPECT_FALSE(Parse(whole.substr(0, cut))) << cut;
}

}  // namespace
}  // namespace vade::import
