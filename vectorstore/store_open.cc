// Opening, creating, updating and closing a store.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "vectorstore/schema.h"
#include "vectorstore/sqlite_store.h"
#include "vectorstore/store_backup.h"

namespace vade::vectorstore {
namespace {

// Makes the folder and its parents; what is made belongs to the user alone.
Result<void> MakeFolder(const std::filesystem::path& folder) {
  if (folder.empty() || std::filesystem::exists(folder)) return {};
  VADE_CHECK_OK(MakeFolder(folder.parent_path()));
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return tl::unexpected(ErrnoError(utf8::Escape(folder.native()), errno));
  }
  return {};
}

bool IsMissing(const std::filesystem::path& path) {
  struct stat info {};
  return stat(path.c_str(), &info) != 0 && errno == ENOENT;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::filesystem::path& path,
                                           const StoreOptions& options) {
  return SqliteStore::Open(path, options);
}

Result<std::unique_ptr<Store>> SqliteStore::Open(const std::filesystem::path& path,
                                                 const StoreOptions& options) {
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error || path.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "store: got an empty or unusable path");
  }
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(absolute), options));
  VADE_CHECK_OK(options.read_only ? store->OpenForReading() : store->OpenForWriting());
  return store;
}

Result<void> SqliteStore::OpenForReading() {
  VADE_TRY(const FileHeader header, CheckFile(path_));
  if (header.user_version < kSchemaVersion) {
    return Fail(ErrorCode::kUnavailable,
                utf8::Escape(path_.native()) + ": is of an older format; `vade index` updates it");
  }
  // The lock's state first: what it calls durable must be found in the file that is read later.
  const bool has_writer = IsLocked(path_);
  const LockState last = ReadLockState(path_);
  const bool unclean = !has_writer && (HasWal(path_) || !last.clean);
  VADE_TRY(const Reader reader, TakeReader());
  return CheckAfterLastWriter(path_, reader.database(), last, unclean);
}

Result<void> SqliteStore::OpenForWriting() {
  if (IsMissing(path_)) {
    if (!options_.create) return tl::unexpected(ErrnoError(utf8::Escape(path_.native()), ENOENT));
    VADE_CHECK_OK(MakeFolder(path_.parent_path()));
  } else {
    VADE_TRY(const FileHeader unused, CheckFile(path_));  // before a lock file is made beside it
    static_cast<void>(unused);
  }
  VADE_TRY(lock_, StoreLock::Acquire(path_, options_.busy_timeout_ms));
  const auto prepared = PrepareWriter();
  if (!prepared) {  // as if we had never been here
    const LockState& last = lock_.previous();
    lock_.Record(last.store_id, last.generation, last.clean);
    if (writer_.database) DropWriter();
    durable_ = {};
  }
  return prepared;
}

Result<void> SqliteStore::PrepareWriter() {
  if (IsMissing(path_)) VADE_CHECK_OK(CreateStoreFile(path_));
  VADE_TRY(const FileHeader header, CheckFile(path_));
  VADE_TRY(writer_, OpenWriter(path_, options_));
  const LockState& last = lock_.previous();
  VADE_CHECK_OK(CheckAfterLastWriter(path_, writer_.database, last, HasWal(path_) || !last.clean));
  if (header.user_version < kSchemaVersion) VADE_CHECK_OK(UpdateOlderVersion(header.user_version));
  VADE_CHECK_OK(ConfigureWriter());
  // One reader from the start: its shared memory is there when the disk is full and no more can be
  // made, so that searches go on.
  VADE_CHECK_OK(TakeReader());
  VADE_TRY(durable_, ReadState(writer_.database));
  lock_.Record(durable_.store_id, durable_.generation, false);
  return {};
}

Result<void> SqliteStore::ConfigureWriter() {
  // A commit that finds 1,000 pages (8 MB) in the -wal moves them into the file.
  const std::string synchronous = options_.durable ? "FULL" : "OFF";
  VADE_CHECK_OK(
      writer_.database.Execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 1000;"
                               "PRAGMA journal_size_limit = 67108864; PRAGMA synchronous = " +
                               synchronous));
  sqlite3_db_config(writer_.database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return {};
}

void SqliteStore::DropWriter() {
  sqlite3_db_config(writer_.database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  writer_ = Connection();
}

Result<void> SqliteStore::ReconnectWriter() {
  VADE_TRY(writer_, OpenWriter(path_, options_));
  const auto configured = ConfigureWriter();
  if (!configured) DropWriter();
  return configured;
}

Result<void> SqliteStore::UpdateOlderVersion(uint32_t version) {
  const std::filesystem::path copy = path_.native() + ".v" + std::to_string(version);
  VADE_CHECK_OK(CopyDatabase(writer_.database, copy, CopyIdentity::kKeep));
  return Migrate(writer_.database, version, kSchemaVersion, Migrations());
}

SqliteStore::~SqliteStore() {
  idle_readers_.clear();
  if (durable_.store_id == 0) return;  // read-only, or it never opened
  if (writer_.database) {
    // A reader in another process may keep the -wal alive; it is then complete and stays.
    sqlite3_wal_checkpoint_v2(writer_.database.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                              nullptr, nullptr);
    writer_ = Connection();
  }
  lock_.Record(durable_.store_id, durable_.generation, !broken_);
}

}  // namespace vade::vectorstore
