// Tests of engine/gguf/file.
#include "engine/gguf/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/base/file.h"
#include "tests/support/gguf_builder.h"

namespace vade::gguf {
namespace {

using ::testing::HasSubstr;

class Folder {
 public:
  Folder() : path_(std::filesystem::path(::testing::TempDir()) / "vade_gguf_file_test") {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void WritePart(const std::filesystem::path& path, uint16_t number, uint16_t count,
               const std::string& tensor) {
  Writer writer;
  writer.Add("split.no", number);
  writer.Add("split.count", count);
  writer.Add("part", static_cast<uint32_t>(number));
  testing::AddF32Tensor(writer, tensor, {2}, {float(number), 0});
  ASSERT_TRUE(writer.WriteTo(path, true));
}

TEST(File, TypedAccessReportsGotAndExpected) {
  Writer writer;
  writer.Add("bert.block_count", "six");
  writer.Add("general.name", "tiny");
  const std::string bytes = writer.ToBytes().value();
  const File file = testing::ParseGguf(bytes).value();
  EXPECT_EQ(file.Require<std::string_view>("general.name").value(), "tiny");
  EXPECT_THAT(file.Require<uint32_t>("bert.block_count").error().message,
              HasSubstr("key bert.block_count: got type string, expected u32"));
  EXPECT_EQ(file.Require<uint32_t>("bert.block_count").error().code, ErrorCode::kCorruptData);
  EXPECT_THAT(file.Require<uint32_t>("absent").error().message,
              HasSubstr("test.gguf: key absent: missing, expected type u32"));
  EXPECT_FALSE(file.Find<uint32_t>("absent").value().has_value());
  EXPECT_FALSE(file.Find<uint32_t>("bert.block_count"));  // a wrong type is never "absent"
  EXPECT_FALSE(file.FindArray<float>("absent").value().has_value());
  EXPECT_THAT(file.RequireArray<float>("general.name").error().message,
              HasSubstr("expected array of f32"));
}

TEST(File, Fault12RequireTensorNamesBothShapes) {
  Writer writer;
  testing::AddF32Tensor(writer, "w", {4, 2}, std::vector<float>(8));
  testing::AddF32Tensor(writer, "v", {3}, std::vector<float>(3));
  const std::string bytes = writer.ToBytes().value();
  const File file = testing::ParseGguf(bytes).value();
  EXPECT_TRUE(file.RequireTensor("w", std::vector<uint64_t>{4, 2}));
  EXPECT_TRUE(file.RequireTensor("v", std::vector<uint64_t>{3, 1}));
  EXPECT_THAT(file.RequireTensor("w", std::vector<uint64_t>{4, 4}).error().message,
              HasSubstr("tensor w: got [4, 2], want [4, 4]"));
  EXPECT_THAT(file.RequireTensor("x", std::vector<uint64_t>{4}).error().message,
              HasSubstr("tensor x: missing, want [4]"));
}

TEST(File, OpenRefusesWhatIsNotARegularFile) {
  const Folder folder;
  EXPECT_EQ(File::Open(folder / "absent.gguf").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(File::Open(folder / ""));
  ASSERT_TRUE(WriteFileAtomically(folder / "empty.gguf", ""));
  EXPECT_THAT(File::Open(folder / "empty.gguf").error().message,
              HasSubstr("empty.gguf: byte 0: magic: truncated at 0"));
}

TEST(File, SplitModelIsReadAsOne) {
  const Folder folder;
  for (uint16_t i = 0; i < 3; ++i) {
    const auto part = static_cast<char>('1' + i);
    WritePart(folder / (std::string("m-0000") += part).append("-of-00003.gguf"), i, 3,
              std::string("t") + std::to_string(i));
  }
  const auto file = File::Open(folder / "m-00001-of-00003.gguf");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->tensors().size(), 3u);
  EXPECT_EQ(file->parts().size(), 3u);
  EXPECT_EQ(file->Require<uint32_t>("part").value(), 0u);
  float value = 0;
  std::memcpy(&value, file->FindTensor("t2")->data.data(), 4);
  EXPECT_EQ(value, 2.0f);
}

TEST(File, SplitModelFaults) {
  const Folder folder;
  WritePart(folder / "m-00001-of-00002.gguf", 0, 2, "t0");
  EXPECT_EQ(File::Open(folder / "m-00001-of-00002.gguf").error().code, ErrorCode::kNotFound);
  WritePart(folder / "m-00002-of-00002.gguf", 0, 2, "t1");  // says it is the first
  EXPECT_THAT(File::Open(folder / "m-00001-of-00002.gguf").error().message,
              HasSubstr("is part 1 of 2, want part 2 of 2"));
  WritePart(folder / "m-00002-of-00002.gguf", 1, 2, "t0");
  EXPECT_THAT(File::Open(folder / "m-00001-of-00002.gguf").error().message,
              HasSubstr("tensor t0: present in two parts"));
  EXPECT_THAT(File::Open(folder / "m-00002-of-00002.gguf").error().message,
              HasSubstr("open the first part"));
  WritePart(folder / "renamed.gguf", 0, 2, "t0");
  EXPECT_THAT(File::Open(folder / "renamed.gguf").error().message, HasSubstr("must be named"));
  WritePart(folder / "many.gguf", 0, 60000, "t0");
  EXPECT_FALSE(File::Open(folder / "many.gguf"));
}

TEST(File, SplitModelHasAllItsTensors) {
  const Folder folder;
  const auto first = folder / "m-00001-of-00002.gguf";
  for (const int32_t count : {1, 2, 3, -1}) {
    Writer writer;
    writer.Add("split.no", uint16_t{0});
    writer.Add("split.count", uint16_t{2});
    writer.Add("split.tensors.count", count);
    testing::AddF32Tensor(writer, "t0", {2}, {1, 2});
    ASSERT_TRUE(writer.WriteTo(first, true));
    WritePart(folder / "m-00002-of-00002.gguf", 1, 2, "t1");
    const auto file = File::Open(first);
    EXPECT_EQ(file.has_value(), count == 2);
    if (file) continue;
    EXPECT_THAT(file.error().message, HasSubstr("the parts have 2 tensors"));
  }
}

TEST(File, SplitInMemoryIsRefused) {
  Writer writer;
  writer.Add("split.count", uint16_t{2});
  const std::string bytes = writer.ToBytes().value();
  EXPECT_THAT(testing::ParseGguf(bytes).error().message, HasSubstr("split model"));
}

}  // namespace
}  // namespace vade::gguf
