#include "vectorstore/store_backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>

#include "engine/base/file.h"
#include "engine/base/unique_fd.h"
#include "engine/base/utf8.h"
#include "vectorstore/connection.h"
#include "vectorstore/schema.h"
#include "vectorstore/sqlite_store.h"

namespace vade::vectorstore {
namespace {

Result<void> WriteCopy(const Database& source, const std::filesystem::path& part,
                       CopyIdentity identity) {
  const std::string name = utf8::Escape(part.native());
  const UniqueFd fd(open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return tl::unexpected(ErrnoError(name, errno));
  VADE_TRY(const Database target, Database::Open(part.native(), SQLITE_OPEN_READWRITE, name));
  VADE_CHECK_OK(CopyPages(source, target));
  // One file without a -wal beside it.
  VADE_CHECK_OK(target.Execute("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE"));
  if (identity == CopyIdentity::kNew) {
    VADE_CHECK_OK(target.Execute("UPDATE meta SET value = " + std::to_string(NewStoreId()) +
                                 " WHERE key = 'store_id'"));
  }
  if (fsync(fd.get()) != 0) return tl::unexpected(ErrnoError(name, errno));
  return {};
}

}  // namespace

Result<void> CopyPages(const Database& source, const Database& target) {
  struct Finish {
    void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
  };
  std::unique_ptr<sqlite3_backup, Finish> backup(
      sqlite3_backup_init(target.handle(), "main", source.handle(), "main"));
  if (!backup) return tl::unexpected(target.MakeError("backup"));
  // All pages in one step: the source is one snapshot, and a WAL reader does not stop the writer.
  const int code = sqlite3_backup_step(backup.get(), -1);
  if (code != SQLITE_DONE) return tl::unexpected(SqliteError(target.name(), "backup", code));
  return {};
}

Result<void> CopyDatabase(const Database& source, const std::filesystem::path& destination,
                          CopyIdentity identity) {
  const std::filesystem::path part = destination.native() + ".part";
  const auto discard = [&] {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      unlink((part.native() + suffix).c_str());
    }
  };
  discard();
  if (const auto written = WriteCopy(source, part, identity); !written) {
    discard();
    return written;
  }
  if (rename(part.c_str(), destination.c_str()) != 0) {
    const Error error = ErrnoError(utf8::Escape(destination.native()), errno);
    discard();
    return tl::unexpected(error);
  }
  const std::filesystem::path folder = std::filesystem::absolute(destination).parent_path();
  const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) {
    return tl::unexpected(ErrnoError(utf8::Escape(folder.native()), errno));
  }
  return {};
}

Result<void> SqliteStore::Backup(const std::filesystem::path& destination) const {
  struct stat info {};
  if (stat(destination.c_str(), &info) == 0) {
    // An older backup may be replaced; anything else is not ours to overwrite.
    if (const auto header = CheckFile(destination); !header) {
      return Fail(ErrorCode::kInvalidArgument,
                  "will not overwrite what is not a store: " + header.error().message);
    }
    struct stat own {};
    if (stat(path_.c_str(), &own) == 0 && own.st_ino == info.st_ino && own.st_dev == info.st_dev) {
      return Fail(ErrorCode::kInvalidArgument, utf8::Escape(destination.native()) +
                                                   ": is the store itself, not a place for a copy");
    }
  }
  VADE_TRY(const Reader reader, TakeReader());
  return CopyDatabase(reader.database(), destination, CopyIdentity::kNew);
}

}  // namespace vade::vectorstore
