// RAII over the SQLite C API: Database, Statement, Transaction; result codes become Errors.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::vectorstore {

/// The error of a failed call: "library.db: what: reason". Disk full, I/O and permission are kIo,
/// damage is kCorruptData, a lock is kUnavailable, memory is kResource.
[[nodiscard]] Error SqliteError(std::string_view path, std::string_view what, int extended_code);

/// Prepared statements that nobody uses at the moment: preparing one costs more than most take to
/// run. Single-thread.
class IdleStatements {
 public:
  IdleStatements() = default;
  IdleStatements(const IdleStatements&) = delete;
  IdleStatements& operator=(const IdleStatements&) = delete;
  ~IdleStatements();

  /// Null when there is none of this text.
  [[nodiscard]] sqlite3_stmt* Take(std::string_view sql);
  void Keep(sqlite3_stmt* statement) noexcept;

 private:
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;  // by their SQL
};

/// A prepared statement. Single-thread, must not outlive its Database.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3_stmt* statement, const std::string* path, IdleStatements* idle)
      : statement_(statement, {idle}), path_(path) {}

  /// Binds parameters 1..n. Text and blobs are not copied: they must live until Reset().
  template <typename... Values>
  Statement& Bind(const Values&... values) {
    int index = 0;
    (BindOne(++index, values), ...);
    return *this;
  }

  /// True: there is a row. False: done (and reset).
  [[nodiscard]] Result<bool> Step();
  /// Steps to the end and resets.
  [[nodiscard]] Result<void> Run();
  void Reset() noexcept { sqlite3_reset(statement_.get()); }

  [[nodiscard]] int64_t Int(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] uint64_t Unsigned(int column) const { return static_cast<uint64_t>(Int(column)); }
  [[nodiscard]] uint32_t Unsigned32(int column) const { return static_cast<uint32_t>(Int(column)); }
  [[nodiscard]] bool IsNull(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  }
  /// Valid until the next Step() or Reset().
  [[nodiscard]] std::string_view Bytes(int column) const;
  [[nodiscard]] std::string Text(int column) const { return std::string(Bytes(column)); }

 private:
  void BindOne(int index, int64_t value) {
    Check(sqlite3_bind_int64(statement_.get(), index, value));
  }
  void BindOne(int index, uint64_t value) { BindOne(index, static_cast<int64_t>(value)); }
  void BindOne(int index, uint32_t value) { BindOne(index, static_cast<int64_t>(value)); }
  void BindOne(int index, std::string_view text);
  void BindOne(int index, std::span<const std::byte> blob);
  void Check(int code) noexcept {
    if (code != SQLITE_OK) bind_code_ = code;
  }

  struct PutBack {
    IdleStatements* idle;
    void operator()(sqlite3_stmt* statement) const noexcept { idle->Keep(statement); }
  };
  std::unique_ptr<sqlite3_stmt, PutBack> statement_;
  const std::string* path_ = nullptr;
  int bind_code_ = SQLITE_OK;  // a bind that failed is reported by the next Step()
};

/// Bytes that are bound as a BLOB, not as TEXT.
[[nodiscard]] inline std::span<const std::byte> AsBlob(std::string_view bytes) {
  return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

/// One connection. Single-thread.
class Database {
 public:
  Database() = default;
  /// `uri` is a file: URI or a path; `name` is what messages show.
  [[nodiscard]] static Result<Database> Open(const std::string& uri, int flags, std::string name);

  [[nodiscard]] Result<Statement> Prepare(std::string_view sql) const;
  /// Runs statements that return no rows that matter.
  [[nodiscard]] Result<void> Execute(const std::string& sql) const;
  /// The first column of the first row.
  [[nodiscard]] Result<int64_t> QueryInt(std::string_view sql) const;
  [[nodiscard]] Result<std::string> QueryText(std::string_view sql) const;

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
  [[nodiscard]] const std::string& name() const noexcept { return *name_; }
  [[nodiscard]] Error MakeError(std::string_view what) const;
  [[nodiscard]] explicit operator bool() const noexcept { return handle_ != nullptr; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<std::string> name_;  // its address is kept by statements
  std::unique_ptr<sqlite3, Close> handle_;
  std::unique_ptr<IdleStatements> idle_ = std::make_unique<IdleStatements>();  // likewise
};

/// BEGIN ... COMMIT; rolls back when destroyed uncommitted.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  [[nodiscard]] static Result<Transaction> Begin(const Database& database, Kind kind);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  [[nodiscard]] Result<void> Commit();

 private:
  explicit Transaction(const Database* database) : database_(database) {}
  const Database* database_;
};

}  // namespace vade::vectorstore
