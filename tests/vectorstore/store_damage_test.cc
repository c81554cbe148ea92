// Damaged, foreign and misplaced files (faults.md 45 to 49): a reason, and not one byte written.
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <unistd.h>

#include "tests/vectorstore/store_fixture.h"
#include "vectorstore/schema.h"
#include "vectorstore/store_lock.h"

namespace vade::vectorstore {
namespace {

using testing::HasSubstr;

class StoreDamageTest : public StoreTest {
 protected:
  void MakeStore(int documents = 30) {
    const auto store = OpenNew();
    for (int i = 0; i < documents; ++i) {
      Put(*store, "d" + std::to_string(i), {"alpha number" + std::to_string(i), "beta"},
          static_cast<uint64_t>(i) * 10);
    }
  }
  // Opening fails for reading and for writing, says `reason`, and leaves the file as it was.
  void ExpectRejected(ErrorCode code, const std::string& reason) {
    const std::string before = Slurp(path_);
    for (const bool read_only : {true, false}) {
      const auto store = Reopen(read_only);
      ASSERT_FALSE(store) << "read_only " << read_only;
      EXPECT_EQ(store.error().code, code) << store.error().message;
      EXPECT_THAT(store.error().message, HasSubstr(reason));
      EXPECT_EQ(store.error().message.find('\n'), std::string::npos);
    }
    EXPECT_EQ(Slurp(path_), before);
  }
  void Sql(const std::string& sql, bool defensive = true) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, defensive ? 1 : 0, nullptr);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(handle);
  }
  std::vector<std::string> Problems() {
    const auto store = Reopen(true);
    EXPECT_TRUE(store) << store.error().message;
    const auto report = (*store)->Verify();
    EXPECT_TRUE(report) << report.error().message;
    return report->problems;
  }
};

TEST_F(StoreDamageTest, NoFileAndNotAskedToMakeOne) {
  EXPECT_EQ(Reopen(true).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Reopen(false).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(StoreDamageTest, EmptyFile) {
  std::ofstream(path_).close();
  ExpectRejected(ErrorCode::kCorruptData, "empty file");
}

TEST_F(StoreDamageTest, NotADatabase) {
  std::ofstream(path_) << "<html>" << std::string(5000, 'x');
  ExpectRejected(ErrorCode::kCorruptData, "is not a store");
}

TEST_F(StoreDamageTest, SomebodyElsesDatabase) {
  Sql("CREATE TABLE t(x)");
  ExpectRejected(ErrorCode::kCorruptData, "not a store of vade");
}

TEST_F(StoreDamageTest, ADirectory) {
  std::filesystem::create_directory(path_);
  const auto store = Reopen();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kCorruptData);
  EXPECT_THAT(store.error().message, HasSubstr("directory"));
}

TEST_F(StoreDamageTest, Truncated) {
  MakeStore();
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  ExpectRejected(ErrorCode::kCorruptData, "truncated: got");
}

TEST_F(StoreDamageTest, NewerVersion) {
  MakeStore();
  Sql("PRAGMA user_version = 99");
  Sql("PRAGMA wal_checkpoint(TRUNCATE)");
  ExpectRejected(ErrorCode::kCorruptData, "made by a newer version");
}

TEST_F(StoreDamageTest, ReadOnlyFolderCanStillBeSearched) {
  MakeStore();
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  std::filesystem::permissions(folder_, std::filesystem::perms(0500));
  std::filesystem::permissions(path_, std::filesystem::perms(0400));
  const auto writer = Reopen(false);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::kIo);
  const auto reader = Reopen(true);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->LexicalSearch("number7", 5)->size(), 1u);
}

// A crash leaves the -wal and the lock's "open": made here by copying a live store.
class LiveCopyTest : public StoreDamageTest {
 protected:
  void CopyLive(const std::string& to) const {
    for (const char* suffix : {"", "-wal", ".lock"}) {
      std::filesystem::copy_file(path_.string() + suffix, to + suffix,
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }
};

TEST_F(LiveCopyTest, AWalLeftByACrashIsReplayed) {
  const auto store = OpenNew();
  Put(*store, "a.md", {"crashed words"});
  const std::string copy = folder_ / "copy.db";
  CopyLive(copy);
  const auto reopened = Store::Open(copy, {.read_only = true});
  ASSERT_TRUE(reopened) << reopened.error().message;
  EXPECT_EQ((*reopened)->LexicalSearch("crashed", 5)->size(), 1u);
}

// The newest image of the database's first page in a -wal.
std::string FirstPageIn(const std::string& wal) {
  constexpr size_t kWalHeader = 32;
  constexpr size_t kFrameHeader = 24;  // begins with the page's number, big-endian
  std::string page;
  for (size_t at = kWalHeader; at + kFrameHeader + kPageBytes <= wal.size();
       at += kFrameHeader + kPageBytes) {
    if (wal.compare(at, 4, "\0\0\0\1", 4) == 0) page = wal.substr(at + kFrameHeader, kPageBytes);
  }
  return page;
}

// Text that does not become short when packed.
std::string RandomWords(std::string text) {
  std::mt19937 random(1);
  while (text.size() < 8 * kPageBytes) text += std::to_string(random()) + " ";
  return text;
}

// A checkpoint writes the first page, which says how long the file is, before it makes it so long.
TEST_F(LiveCopyTest, AFileLeftInTheMiddleOfACheckpointIsOpened) {
  const auto store = OpenNew();
  Put(*store, "a.md", {RandomWords("checkpointed ")});  // long: the file must grow
  const std::string copy = folder_ / "copy.db";
  for (const bool with_lock : {true, false}) {
    for (const bool read_only : {true, false}) {
      CopyLive(copy);
      if (!with_lock) std::filesystem::remove(LockPath(copy));
      const std::string first_page = FirstPageIn(Slurp(copy + "-wal"));
      ASSERT_EQ(first_page.size(), kPageBytes);
      Overwrite(copy, 0, first_page);
      const auto reopened = Store::Open(copy, {.read_only = read_only});
      ASSERT_TRUE(reopened) << reopened.error().message;
      EXPECT_EQ((*reopened)->LexicalSearch("checkpointed", 5)->size(), 1u);
    }
  }
}

TEST_F(LiveCopyTest, ADeletedWalIsNoticed) {
  const auto store = OpenNew();
  Put(*store, "a.md", {"lost words"});
  const std::string copy = folder_ / "copy.db";
  CopyLive(copy);
  std::filesystem::remove(copy + "-wal");
  const std::string before = Slurp(copy);
  for (const bool read_only : {true, false}) {
    const auto reopened = Store::Open(copy, {.read_only = read_only});
    ASSERT_FALSE(reopened);
    EXPECT_EQ(reopened.error().code, ErrorCode::kCorruptData);
    EXPECT_THAT(reopened.error().message, HasSubstr("-wal was removed"));
  }
  EXPECT_EQ(Slurp(copy), before);
}

TEST_F(LiveCopyTest, AWalOfAnotherStoreIsNoticed) {
  const auto store = OpenNew();
  Put(*store, "a.md", {"words"});
  const std::string wal = Slurp(path_.string() + "-wal");
  path_ = folder_ / "other.db";
  MakeStore(3);
  std::ofstream(path_.string() + "-wal", std::ios::binary) << wal;
  ExpectRejected(ErrorCode::kCorruptData, "");
}

TEST_F(LiveCopyTest, AStoreThatIsGoneButLeftItsWalIsNotMadeAnew) {
  const auto store = OpenNew();
  const std::string copy = folder_ / "copy.db";
  CopyLive(copy);
  std::filesystem::remove(copy);
  const auto reopened = Store::Open(copy, {});
  ASSERT_FALSE(reopened);
  EXPECT_EQ(reopened.error().code, ErrorCode::kCorruptData);
  EXPECT_THAT(reopened.error().message, HasSubstr("its -wal is there"));
}

TEST_F(StoreDamageTest, AFlippedPageIsFoundAfterAnUncleanEnd) {
  MakeStore(200);
  const size_t pages = std::filesystem::file_size(path_) / kPageBytes;
  for (size_t page = 1; page < pages; ++page) Overwrite(path_, page * kPageBytes, "\xFF\xFF\xFF");
  Overwrite(LockPath(path_), 0, "vade 1 open  pid=1 ");
  ExpectRejected(ErrorCode::kCorruptData, "damaged");
}

TEST_F(StoreDamageTest, FlippedBytesAreFoundAndNeverCrash) {
  MakeStore(40);
  const std::string sound = Slurp(path_);
  std::mt19937 random(3);
  size_t used = 0;
  size_t found = 0;
  for (size_t i = 0; i < 150; ++i) {
    const size_t at = kPageBytes + random() % (sound.size() - kPageBytes);
    if (sound[at] == 0) continue;  // free space in a page holds nothing
    ++used;
    Overwrite(path_, at, std::string(1, static_cast<char>(sound[at] ^ 0x41)));
    const auto store = Reopen(true);
    if (store) {
      const auto report = (*store)->Verify();
      if (!report || !report->problems.empty()) ++found;
      static_cast<void>((*store)->LexicalSearch("alpha number7", 10));
      static_cast<void>((*store)->DenseSearch(RandomUnit(1), 10));
    } else {
      ++found;
    }
    Overwrite(path_, at, sound.substr(at, 1));
  }
  // What may go unnoticed: a time, a size or a language in a record, cells that are free.
  EXPECT_GE(found * 10, used * 9) << found << " of " << used;
  EXPECT_TRUE(Problems().empty());
}

TEST_F(StoreDamageTest, AFlippedByteInABlobIsFoundThoughSqliteSaysOk) {
  MakeStore();
  for (const auto& [column, problem] : {std::pair{"codes", "codes: checksum"},
                                        {"originals", "originals: checksum"},
                                        {"scales", "codes: checksum"}}) {
    Sql(std::string("UPDATE vector_block SET ") + column + " = CAST(zeroblob(length(" + column +
        ")) AS BLOB) WHERE first_chunk = (SELECT min(first_chunk) FROM vector_block)");
    const auto problems = Problems();
    ASSERT_FALSE(problems.empty());
    EXPECT_THAT(problems.back(), HasSubstr(problem));
    const auto store = Reopen(true);
    EXPECT_EQ((*store)->DenseSearch(RandomUnit(1), 30).error().code, ErrorCode::kCorruptData);
    std::filesystem::remove(path_);
    std::filesystem::remove(path_.string() + "-wal");
    std::filesystem::remove(LockPath(path_));
    MakeStore();
  }
  Sql("UPDATE text SET checksum = checksum + 1 WHERE document = 1");
  EXPECT_THAT(Problems(), testing::Contains(HasSubstr("document 1: stored text: checksum")));
  EXPECT_EQ((*Reopen(true))->GetText(1).error().code, ErrorCode::kCorruptData);
}

TEST_F(StoreDamageTest, OrphansAndCountsAreFound) {
  MakeStore();
  Sql("PRAGMA foreign_keys = OFF; DELETE FROM page WHERE document = 3;"
      "INSERT INTO note VALUES(4711, 0, 0, 'x'); UPDATE chunk SET checksum = 1 WHERE id = 5;"
      "DELETE FROM vector_block WHERE first_chunk = 7");
  const auto problems = Problems();
  EXPECT_THAT(problems, testing::Contains(HasSubstr("orphan: ")));
  EXPECT_THAT(problems, testing::Contains(HasSubstr("pages are not all there")));
  EXPECT_THAT(problems, testing::Contains(HasSubstr("chunk 5: checksum")));
  EXPECT_THAT(problems, testing::Contains(HasSubstr("chunks without a vector")));
}

TEST_F(StoreDamageTest, AFullTextIndexOutOfStepIsFound) {
  MakeStore();
  Sql("UPDATE chunk SET heading_path = 'other words' WHERE id = 3");
  EXPECT_THAT(Problems(), testing::Contains(HasSubstr("full-text index: out of step")));
}

TEST_F(StoreDamageTest, AnOlderVersionIsUpdatedWholeOrNotAtAll) {
  MakeStore();
  const auto database = Database::Open(path_, SQLITE_OPEN_READWRITE, "test");
  ASSERT_TRUE(database);
  const Migration good{1, "CREATE TABLE extra(x)"};
  const Migration bad{2, "CREATE TABLE more(x); INSERT INTO no_such_table VALUES(1)"};
  EXPECT_FALSE(Migrate(*database, 1, 3, std::vector{good, bad}));
  EXPECT_EQ(database->QueryInt("PRAGMA user_version"), 1);
  EXPECT_EQ(database->QueryInt("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0);
  EXPECT_FALSE(Migrate(*database, 1, 3, std::vector{good}));  // no step from 2
  ASSERT_TRUE(Migrate(*database, 1, 2, std::vector{good}));
  EXPECT_EQ(database->QueryInt("PRAGMA user_version"), 2);
}

TEST_F(StoreDamageTest, AVersionThatNothingUpdatesIsSetAsideAndRefused) {
  MakeStore();
  Sql("PRAGMA user_version = 0; PRAGMA wal_checkpoint(TRUNCATE)");
  const auto reader = Reopen(true);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kUnavailable);
  const auto writer = Reopen(false);
  ASSERT_FALSE(writer);
  EXPECT_THAT(writer.error().message, HasSubstr("no way to update version 0"));
  EXPECT_TRUE(std::filesystem::exists(path_.string() + ".v0"));
}

}  // namespace
}  // namespace vade::vectorstore
