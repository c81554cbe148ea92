// Tests of engine/gguf/writer.
#include "engine/gguf/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "engine/base/file.h"
#include "engine/gguf/file.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/golden.h"

namespace vade::gguf {
namespace {

using ::testing::HasSubstr;

std::filesystem::path TempPath(const std::string& name) {
  return std::filesystem::path(::testing::TempDir()) / ("vade_writer_" + name);
}

TEST(Writer, TensorsComeBackWithTheirData) {
  Writer writer;
  testing::AddF32Tensor(writer, "a", {3}, {1, 2, 3});
  testing::AddF32Tensor(writer, "b", {2, 2}, {4, 5, 6, 7});
  EXPECT_EQ(writer.tensor_bytes(), 28u);
  const std::string bytes = writer.ToBytes().value();
  const File file = testing::ParseGguf(bytes).value();
  ASSERT_EQ(file.tensors().size(), 2u);
  const TensorInfo* b = file.FindTensor("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(ShapeToString(*b), "[2, 2]");
  float value = 0;
  std::memcpy(&value, b->data.data() + 8, 4);
  EXPECT_EQ(value, 6.0f);
}

// A real file rewritten key by key and tensor by tensor reads the same.
TEST(Writer, CopyOfAReferenceModelIsEqual) {
  const File in = File::Open(testing::GoldenPath("models/bert.gguf")).value();
  Writer writer;
  for (const KeyValue& entry : in.metadata()) writer.Copy(entry);
  for (const TensorInfo& t : in.tensors()) {
    writer.AddTensor(std::string(t.name), t.type, {t.dims.begin(), t.dims.begin() + t.num_dims},
                     [&t]() -> Result<std::vector<std::byte>> {
                       return std::vector<std::byte>(t.data.begin(), t.data.end());
                     });
  }
  const std::string bytes = writer.ToBytes().value();
  const std::string original = ReadFile(testing::GoldenPath("models/bert.gguf")).value();
  EXPECT_TRUE(bytes == original);
}

TEST(Writer, WritesAtomicallyAndRefusesToReplace) {
  const auto path = TempPath("atomic.gguf");
  std::filesystem::remove(path);
  Writer writer;
  writer.Add("general.name", "one");
  ASSERT_TRUE(writer.WriteTo(path, false));
  const auto again = writer.WriteTo(path, false);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("exists already"));
  EXPECT_TRUE(writer.WriteTo(path, true));
  EXPECT_EQ(File::Open(path)->Require<std::string_view>("general.name").value(), "one");
  std::filesystem::remove(path);
}

TEST(Writer, FailingProducerLeavesNothingBehind) {
  const auto path = TempPath("failing.gguf");
  std::filesystem::remove(path);
  Writer writer;
  writer.AddTensor("t", quant::TensorType::kF32, {4}, []() -> Result<std::vector<std::byte>> {
    return Fail(ErrorCode::kCorruptData, "no data");
  });
  const auto written = writer.WriteTo(path, false);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "no data");
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path.native() + ".part"));
}

TEST(Writer, ReportsEachTensor) {
  const auto path = TempPath("progress.gguf");
  Writer writer;
  testing::AddF32Tensor(writer, "a", {1}, {1});
  testing::AddF32Tensor(writer, "b", {1}, {1});
  std::string seen;
  ASSERT_TRUE(writer.WriteTo(path, true, [&](std::string_view name, size_t done, size_t total) {
    seen.append(name).append(std::to_string(done)).append("/").append(std::to_string(total));
  }));
  EXPECT_EQ(seen, "a1/2b2/2");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace vade::gguf
