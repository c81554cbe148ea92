#include "vectorstore/sqlite.h"

#include <utility>

namespace vade::vectorstore {
namespace {

constexpr size_t kMaxIdleStatements = 64;  // of one connection

ErrorCode CodeOf(int primary_code) noexcept {
  switch (primary_code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
      return ErrorCode::kCorruptData;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOLFS:
      return ErrorCode::kIo;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorCode::kResource;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Error SqliteError(std::string_view path, std::string_view what, int extended_code) {
  const int primary = extended_code & 0xff;
  const int memory_failure = extended_code == SQLITE_IOERR_NOMEM ? SQLITE_NOMEM : primary;
  std::string message = std::string(path) + ": " + std::string(what);
  if (primary == SQLITE_FULL) {
    message += ": disk full";
  } else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    message += ": damaged; restore a backup, or move it away and index again";
  } else if (const std::string reason = sqlite3_errstr(extended_code); !what.ends_with(reason)) {
    message += ": " + reason;
  }
  if (extended_code != primary) message += " (" + std::to_string(extended_code) + ")";
  return {CodeOf(memory_failure), std::move(message)};
}

Result<bool> Statement::Step() {
  int code = std::exchange(bind_code_, SQLITE_OK);
  if (code == SQLITE_OK) code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  sqlite3* handle = sqlite3_db_handle(statement_.get());
  const int extended = sqlite3_extended_errcode(handle);
  std::string what = sqlite3_errmsg(handle);
  sqlite3_reset(statement_.get());
  return tl::unexpected(
      SqliteError(*path_, what, (extended & 0xff) == (code & 0xff) ? extended : code));
}

Result<void> Statement::Run() {
  while (true) {
    VADE_TRY(const bool row, Step());
    if (!row) return {};
  }
}

std::string_view Statement::Bytes(int column) const {
  // The pointer first: asking for it may convert the value and so change its length.
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<size_t>(size)};
}

void Statement::BindOne(int index, std::string_view text) {
  Check(sqlite3_bind_text64(statement_.get(), index, text.data() == nullptr ? "" : text.data(),
                            text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::BindOne(int index, std::span<const std::byte> blob) {
  if (blob.empty()) {
    Check(sqlite3_bind_zeroblob(statement_.get(), index, 0));
  } else {
    Check(sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(), SQLITE_STATIC));
  }
}

IdleStatements::~IdleStatements() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
}

sqlite3_stmt* IdleStatements::Take(std::string_view sql) {
  const auto at = statements_.find(sql);
  return at == statements_.end() ? nullptr : std::exchange(at->second, nullptr);
}

void IdleStatements::Keep(sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  try {
    const std::string_view sql = sqlite3_sql(statement);
    if (statements_.size() < kMaxIdleStatements || statements_.contains(sql)) {
      std::swap(statements_[std::string(sql)], statement);
    }
  } catch (...) {  // no memory to remember it with
  }
  sqlite3_finalize(statement);
}

Result<Database> Database::Open(const std::string& uri, int flags, std::string name) {
  // Its statistics of memory take one lock for all threads, at each allocation.
  [[maybe_unused]] static const int quiet = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  Database database;
  database.name_ = std::make_unique<std::string>(std::move(name));
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &handle,
                                   flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return tl::unexpected(SqliteError(*database.name_, "open", code));
  return database;
}

Result<Statement> Database::Prepare(std::string_view sql) const {
  sqlite3_stmt* statement = idle_->Take(sql);
  if (statement != nullptr) return Statement(statement, name_.get(), idle_.get());
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(MakeError("prepare"));
  return Statement(statement, name_.get(), idle_.get());
}

Result<void> Database::Execute(const std::string& sql) const {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return tl::unexpected(MakeError("sql"));
  }
  return {};
}

Result<int64_t> Database::QueryInt(std::string_view sql) const {
  VADE_TRY(Statement statement, Prepare(sql));
  VADE_TRY(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

Result<std::string> Database::QueryText(std::string_view sql) const {
  VADE_TRY(Statement statement, Prepare(sql));
  VADE_TRY(const bool row, statement.Step());
  return row ? statement.Text(0) : std::string();
}

Error Database::MakeError(std::string_view what) const {
  const std::string detail = std::string(what) + ": " + sqlite3_errmsg(handle_.get());
  return SqliteError(*name_, detail, sqlite3_extended_errcode(handle_.get()));
}

Result<Transaction> Transaction::Begin(const Database& database, Kind kind) {
  VADE_CHECK_OK(database.Execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
  return Transaction(&database);
}

Transaction::~Transaction() {
  // A failed statement may have rolled back already; an error here changes nothing.
  if (database_ != nullptr && sqlite3_get_autocommit(database_->handle()) == 0) {
    sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<void> Transaction::Commit() {
  VADE_CHECK_OK(database_->Execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace vade::vectorstore
