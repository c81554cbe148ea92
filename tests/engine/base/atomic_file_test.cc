// Tests of engine/base/atomic_file.
#include "engine/base/atomic_file.h"

#include <gtest/gtest.h>

#include "engine/base/file.h"

namespace vade {
namespace {

class AtomicFileTest : public ::testing::Test {
 protected:
  AtomicFileTest() : folder_(std::filesystem::path(::testing::TempDir()) / "vade_atomic_file") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~AtomicFileTest() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] bool FolderHolds(size_t count) const {
    using Iterator = std::filesystem::directory_iterator;
    return std::distance(Iterator(folder_), Iterator()) == static_cast<ptrdiff_t>(count);
  }
  std::filesystem::path folder_;
};

TEST_F(AtomicFileTest, NothingIsVisibleBeforeCommit) {
  const auto path = folder_ / "f";
  {
    auto file = AtomicFile::Create(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Write("half"));
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(FolderHolds(0));  // abandoned: the part file is gone
  auto file = AtomicFile::Create(path);
  ASSERT_TRUE(file->Write("one "));
  ASSERT_TRUE(file->Write("two"));
  EXPECT_EQ(file->bytes_written(), 7u);
  ASSERT_TRUE(file->Commit());
  EXPECT_EQ(ReadFile(path).value(), "one two");
  EXPECT_TRUE(FolderHolds(1));
}

TEST_F(AtomicFileTest, ReplacesOnlyWhenAllowed) {
  const auto path = folder_ / "f";
  ASSERT_TRUE(WriteFileAtomically(path, "old"));
  EXPECT_EQ(AtomicFile::Create(path, false).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(WriteFileAtomically(path, "new"));
  EXPECT_EQ(ReadFile(path).value(), "new");
}

TEST_F(AtomicFileTest, AFileThatAppearsMeanwhileIsKept) {
  const auto path = folder_ / "f";
  auto file = AtomicFile::Create(path, false);
  ASSERT_TRUE(file);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "other", "theirs"));
  std::filesystem::rename(folder_ / "other", path);
  const auto committed = file->Commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ReadFile(path).value(), "theirs");
}

TEST_F(AtomicFileTest, FailuresOfTheDisk) {
  EXPECT_EQ(AtomicFile::Create(folder_ / "no" / "f").error().code, ErrorCode::kNotFound);
  std::filesystem::create_symlink("/dev/full", folder_ / "f.part");
  EXPECT_FALSE(AtomicFile::Create(folder_ / "f"));  // a planted link is not followed
}

}  // namespace
}  // namespace vade
