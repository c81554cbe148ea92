#include "vectorstore/connection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/base/file.h"
#include "engine/base/unique_fd.h"
#include "engine/base/utf8.h"
#include "vectorstore/schema.h"

namespace vade::vectorstore {
namespace {

constexpr size_t kHeaderBytes = 100;  // of an SQLite file, https://www.sqlite.org/fileformat.html
constexpr std::string_view kMagic("SQLite format 3\0", 16);

std::string Name(const std::filesystem::path& path) { return utf8::Escape(path.native()); }

uint32_t BigEndian32(const unsigned char* bytes) noexcept {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

uint64_t PageSize(const unsigned char* header) noexcept {
  const uint64_t size = uint64_t{header[16]} << 8 | header[17];
  return size == 1 ? 65536 : size;
}

Result<Connection> OpenWith(const std::string& uri, int flags, const std::filesystem::path& path,
                            uint32_t busy_timeout_ms) {
  Connection connection;
  VADE_TRY(connection.database, Database::Open(uri, flags, Name(path)));
  sqlite3* handle = connection.database.handle();
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout_ms));
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // The writer lifts this when the store has proved sound: until then not even a close may write.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  VADE_CHECK_OK(RegisterExtension(connection.database, connection.counter.get()));
  VADE_CHECK_OK(connection.database.Execute(
      "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;"
      "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;"
      "PRAGMA wal_autocheckpoint = 0"));
  return connection;
}

// "file:" URI with every byte that could mean something else escaped.
std::string ImmutableUri(const std::filesystem::path& path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  const std::string absolute = std::filesystem::absolute(path).native();
  for (const char c : absolute) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    if (plain) {
      uri.push_back(c);
    } else {
      uri.push_back('%');
      uri.push_back(kHex[byte >> 4]);
      uri.push_back(kHex[byte & 15]);
    }
  }
  return uri + "?immutable=1";
}

// A -wal of another store would be replayed into this one: compare the identity in the file alone
// with the identity seen through the -wal. Killed in the middle of a checkpoint, the file alone is
// no database, only together with its -wal: what cannot be read says nothing against the -wal.
Result<void> CheckWalBelongs(const std::filesystem::path& path, const StoreState& through_wal) {
  const auto alone = OpenWith(ImmutableUri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, path, 0);
  if (!alone) return {};
  const auto state = ReadState(alone->database);
  if (!state || state->store_id == through_wal.store_id) return {};
  return Fail(ErrorCode::kCorruptData, Name(path) + ": its -wal belongs to another store");
}

Result<void> SyncFolderOf(const std::filesystem::path& path) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return tl::unexpected(ErrnoError(Name(folder), errno));
  return {};
}

Result<void> BuildEmptyStore(const std::filesystem::path& part) {
  // Made here and not by SQLite: nobody else may read it, whatever the umask.
  unlink(part.c_str());
  const UniqueFd fd(open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return tl::unexpected(ErrnoError(Name(part), errno));
  VADE_TRY(const Connection connection,
           OpenWith(std::filesystem::absolute(part).native(), SQLITE_OPEN_READWRITE, part, 0));
  VADE_CHECK_OK(connection.database.Execute("PRAGMA synchronous = FULL"));
  return CreateSchema(connection.database);
}

}  // namespace

Result<StoreState> ReadState(const Database& database) {
  VADE_TRY(Statement meta,
           database.Prepare("SELECT (SELECT value FROM meta WHERE key = 'store_id'),"
                            " (SELECT value FROM meta WHERE key = 'generation')"));
  VADE_TRY(const bool row, meta.Step());
  if (!row || meta.IsNull(0) || meta.IsNull(1)) {
    return Fail(ErrorCode::kCorruptData, database.name() + ": its meta table is incomplete");
  }
  return StoreState{meta.Int(0), meta.Int(1)};
}

bool HasWal(const std::filesystem::path& path) {
  struct stat info {};
  return stat((path.native() + "-wal").c_str(), &info) == 0 && info.st_size > 0;
}

Result<FileHeader> CheckFile(const std::filesystem::path& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return tl::unexpected(ErrnoError(Name(path), errno));
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return tl::unexpected(ErrnoError(Name(path), errno));
  const auto reject = [&](const std::string& why) {
    return Fail(ErrorCode::kCorruptData, Name(path) + ": " + why);
  };
  if (S_ISDIR(info.st_mode)) return reject("is a directory, not a store");
  if (!S_ISREG(info.st_mode)) return reject("is not a regular file, so not a store");
  if (info.st_size == 0) return reject("is an empty file, not a store");
  std::array<unsigned char, kHeaderBytes> header{};
  const ssize_t size = pread(fd.get(), header.data(), header.size(), 0);
  if (size < 0) return tl::unexpected(ErrnoError(Name(path), errno));
  const bool magic_ok = std::memcmp(header.data(), kMagic.data(), kMagic.size()) == 0;
  if (static_cast<size_t>(size) < kHeaderBytes || !magic_ok) return reject("is not a store");
  if (BigEndian32(header.data() + 68) != kApplicationId) {
    return reject("is an SQLite database, but not a store of vade");
  }
  const uint64_t expected = PageSize(header.data()) * BigEndian32(header.data() + 28);
  if (const auto actual = static_cast<uint64_t>(info.st_size); actual < expected && !HasWal(path)) {
    return reject("truncated: got " + std::to_string(actual) + " bytes, expected " +
                  std::to_string(expected));
  }
  const FileHeader result{BigEndian32(header.data() + 60)};
  if (result.user_version > kSchemaVersion) {
    return reject("made by a newer version of vade (format " + std::to_string(result.user_version) +
                  ", this program knows " + std::to_string(kSchemaVersion) + ")");
  }
  return result;
}

Result<void> CreateStoreFile(const std::filesystem::path& path) {
  if (HasWal(path)) {
    return Fail(ErrorCode::kCorruptData,
                Name(path) +
                    ": is missing, but its -wal is there; put the store back, or remove "
                    "the -wal to begin a new one");
  }
  const std::filesystem::path part = path.native() + ".new";
  if (const auto built = BuildEmptyStore(part); !built) {
    unlink(part.c_str());
    unlink((part.native() + "-journal").c_str());
    return built;
  }
  if (rename(part.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    unlink(part.c_str());
    return tl::unexpected(ErrnoError(Name(path), error_number));
  }
  return SyncFolderOf(path);
}

Result<Connection> OpenWriter(const std::filesystem::path& path, const StoreOptions& options) {
  VADE_TRY(Connection connection, OpenWith(std::filesystem::absolute(path).native(),
                                           SQLITE_OPEN_READWRITE, path, options.busy_timeout_ms));
  if (sqlite3_db_readonly(connection.database.handle(), "main") != 0) {
    return Fail(ErrorCode::kIo, Name(path) + ": read-only, cannot write");
  }
  return connection;
}

Result<Connection> OpenReader(const std::filesystem::path& path, const StoreOptions& options) {
  const auto open_as = [&](const std::string& uri, int flags) -> Result<Connection> {
    VADE_TRY(Connection connection, OpenWith(uri, flags, path, options.busy_timeout_ms));
    VADE_CHECK_OK(connection.database.Execute("PRAGMA query_only = ON; SELECT count(*) FROM meta"));
    return connection;
  };
  auto connection = open_as(std::filesystem::absolute(path).native(), SQLITE_OPEN_READONLY);
  // A read-only folder has no place for the shared-memory file; without a -wal none is needed.
  if (!connection && connection.error().code == ErrorCode::kIo && !HasWal(path)) {
    return open_as(ImmutableUri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  }
  return connection;
}

Result<Connection> OpenScratch() {
  return OpenWith(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ":memory:", 0);
}

Result<void> CheckAfterLastWriter(const std::filesystem::path& path, const Database& database,
                                  const LockState& last, bool quick_check) {
  VADE_TRY(const int64_t version, database.QueryInt("PRAGMA user_version"));
  if (version > int64_t{kSchemaVersion}) {
    return Fail(ErrorCode::kCorruptData, database.name() + ": made by a newer version of vade");
  }
  if (quick_check) {
    VADE_TRY(const std::string verdict, database.QueryText("PRAGMA quick_check(1)"));
    if (verdict != "ok") {
      return Fail(ErrorCode::kCorruptData,
                  database.name() + ": damaged: " + utf8::Escape(verdict) +
                      "; restore a backup, or move it away and index again");
    }
  }
  VADE_TRY(const StoreState state, ReadState(database));
  const bool same_store = last.store_id == state.store_id;
  if (HasWal(path) && !same_store) VADE_CHECK_OK(CheckWalBelongs(path, state));
  if (same_store && state.generation < last.generation) {
    return Fail(ErrorCode::kCorruptData,
                database.name() + ": the last " +
                    std::to_string(last.generation - state.generation) +
                    " commits are missing: its -wal was removed or is of another copy; index "
                    "again after removing " +
                    database.name() + ".lock");
  }
  return {};
}

}  // namespace vade::vectorstore
