// Tests of engine/base/mapped_file.
#include "engine/base/mapped_file.h"

#include <gtest/gtest.h>

#include "engine/base/file.h"

namespace vade {
namespace {

TEST(MappedFile, MapsMovesAndRefuses) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "vade_mapped_file";
  ASSERT_TRUE(WriteFileAtomically(path, "bytes"));
  auto first = MappedFile::Open(path);
  ASSERT_TRUE(first) << first.error().message;
  const std::byte* data = first->bytes().data();
  MappedFile second = std::move(*first);
  EXPECT_EQ(second.bytes().data(), data);  // views stay valid
  EXPECT_EQ(second.bytes().size(), 5u);
  EXPECT_EQ(second.bytes()[4], std::byte{'s'});
  ASSERT_TRUE(WriteFileAtomically(path, ""));
  EXPECT_TRUE(MappedFile::Open(path)->bytes().empty());
  std::filesystem::remove(path);
  EXPECT_EQ(MappedFile::Open(path).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(MappedFile::Open("/dev/zero").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(MappedFile::Open("/").error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace vade
