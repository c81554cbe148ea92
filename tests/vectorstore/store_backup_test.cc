// A backup: whole, its own store, and never over what is not ours.
#include "vectorstore/store_backup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/vectorstore/store_fixture.h"

namespace vade::vectorstore {
namespace {

TEST_F(StoreTest, ABackupHoldsEverythingAndIsOneFile) {
  const auto store = OpenNew();
  Put(*store, "a.md", {"copied words"});
  const std::filesystem::path copy = folder_ / "copy.db";
  ASSERT_TRUE(store->Backup(copy));
  Put(*store, "later.md", {"not copied"}, 20);
  for (const char* suffix : {"-wal", "-shm", "-journal", ".part"}) {
    EXPECT_FALSE(std::filesystem::exists(copy.string() + suffix)) << suffix;
    EXPECT_FALSE(std::filesystem::exists(copy.string() + ".part" + suffix)) << suffix;
  }
  struct stat info {};
  ASSERT_EQ(stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  const auto opened = Store::Open(copy, {.read_only = true});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->ListDocuments()->size(), 1u);
  EXPECT_EQ((*opened)->LexicalSearch("copied", 5)->size(), 1u);
  ExpectSound(**opened);
}

TEST_F(StoreTest, ARestoredBackupReplacesANewerStore) {
  const std::filesystem::path copy = folder_ / "copy.db";
  {
    const auto store = OpenNew();
    Put(*store, "a.md", {"old"});
    ASSERT_TRUE(store->Backup(copy));
    Put(*store, "b.md", {"new"}, 20);
  }
  std::filesystem::rename(copy, path_);  // the lock file of the newer store stays
  const auto restored = Reopen(false);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ((*restored)->ListDocuments()->size(), 1u);
}

TEST_F(StoreTest, AnOlderBackupIsReplacedButNothingElse) {
  const auto store = OpenNew();
  const std::filesystem::path copy = folder_ / "copy.db";
  ASSERT_TRUE(store->Backup(copy));
  EXPECT_TRUE(store->Backup(copy));
  const std::filesystem::path letter = folder_ / "letter.txt";
  std::ofstream(letter) << "dear reader";
  for (const std::filesystem::path& place : {letter, path_, folder_}) {
    const auto refused = store->Backup(place);
    ASSERT_FALSE(refused) << place;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << refused.error().message;
  }
  EXPECT_EQ(Slurp(letter), "dear reader");
  EXPECT_FALSE(store->Backup(folder_ / "no" / "such" / "folder.db"));
  ExpectSound(*store);
}

}  // namespace
}  // namespace vade::vectorstore
