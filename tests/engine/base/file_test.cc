// Tests of engine/base/file.
#include "engine/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

namespace vade {
namespace {

class FileTest : public ::testing::Test {
 protected:
  FileTest() : folder_(std::filesystem::path(::testing::TempDir()) / "vade_file_test") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(FileTest, WhatIsWrittenIsRead) {
  const std::string bytes("a\0b\xFF", 4);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", bytes));
  EXPECT_EQ(ReadFile(folder_ / "f").value(), bytes);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", ""));
  EXPECT_EQ(ReadFile(folder_ / "f").value(), "");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "f.part"));
}

TEST_F(FileTest, LimitsAndMissingFiles) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "12345"));
  EXPECT_EQ(ReadFile(folder_ / "f", 5).value(), "12345");
  EXPECT_EQ(ReadFile(folder_ / "f", 4).error().code, ErrorCode::kResource);
  EXPECT_EQ(ReadFile(folder_ / "absent").error().code, ErrorCode::kNotFound);
}

TEST_F(FileTest, Fault34FifosDevicesAndFoldersAreNotRead) {
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(ReadFile(folder_ / "fifo").error().code, ErrorCode::kUnsupported);  // and no hang
  EXPECT_EQ(ReadFile(folder_).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(ReadFile("/dev/zero").error().code, ErrorCode::kUnsupported);
}

TEST_F(FileTest, NamesInErrorsAreEscaped) {
  EXPECT_EQ(ReadFile(folder_ / "a\nb").error().message,
            (folder_ / "a\\nb: No such file or directory").native());
}

TEST(ErrnoErrorTest, Codes) {
  EXPECT_EQ(ErrnoError("x", ENOENT).code, ErrorCode::kNotFound);
  EXPECT_EQ(ErrnoError("x", ENOSPC).code, ErrorCode::kIo);
  EXPECT_EQ(ErrnoError("x", ENOSPC).message, "x: No space left on device");
}

}  // namespace
}  // namespace vade
