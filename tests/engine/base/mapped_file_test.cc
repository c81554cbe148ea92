// Tests of engine/base/mapped_file.
#include "engine/base/mapped_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

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

// Pages of files in this process's memory.
size_t FileBytesInMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::stoul(line.substr(8)) * 1024;
  }
  return 0;
}

TEST(MappedFile, ReleasedPagesAreReadAgain) {
  constexpr size_t kSize = size_t{8} << 20;
  const auto path = std::filesystem::path(::testing::TempDir()) / "vade_released_file";
  ASSERT_TRUE(WriteFileAtomically(path, std::string(kSize, 'x')));
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file) << file.error().message;
  const auto all_there = [&] {
    return std::ranges::all_of(file->bytes(), [](std::byte b) { return b == std::byte{'x'}; });
  };
  EXPECT_TRUE(all_there());
  const size_t before = FileBytesInMemory();
  file->Release(file->bytes().subspan(4095, kSize - 5000));
  EXPECT_LT(FileBytesInMemory(), before - kSize / 2);
  EXPECT_TRUE(all_there());
  std::string elsewhere(1 << 16, 'y');  // not the mapping's: left alone
  file->Release(std::as_bytes(std::span(elsewhere)));
  file->Release({});
  EXPECT_EQ(elsewhere, std::string(1 << 16, 'y'));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace vade
