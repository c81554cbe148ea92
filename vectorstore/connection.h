// How a store's file is checked, created and opened: one writer, any number of readers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "engine/base/result.h"
#include "vectorstore/fts5_extension.h"
#include "vectorstore/sqlite.h"
#include "vectorstore/store.h"
#include "vectorstore/store_lock.h"

namespace vade::vectorstore {

/// One SQLite connection with our functions and settings. The counter is behind a pointer because
/// the connection keeps its address.
struct Connection {
  std::unique_ptr<TokenCounter> counter = std::make_unique<TokenCounter>();
  Database database;
};

/// What identifies the state of a store; read inside the transaction whose state it shall be.
struct StoreState {
  int64_t store_id = 0;
  int64_t generation = 0;  // grows by one with every write transaction
};
[[nodiscard]] Result<StoreState> ReadState(const Database& database);

/// Tells a store from everything else by its first bytes, without opening it as a database:
/// kNotFound, kCorruptData (empty, truncated, not a store, newer version), kIo. Writes nothing.
struct FileHeader {
  uint32_t user_version = 0;
};
[[nodiscard]] Result<FileHeader> CheckFile(const std::filesystem::path& path);

/// Makes a new store beside `path` and renames it into place: there is never half a store.
[[nodiscard]] Result<void> CreateStoreFile(const std::filesystem::path& path);

/// REQUIRES a file that passed CheckFile(). Writes nothing until the first transaction.
[[nodiscard]] Result<Connection> OpenWriter(const std::filesystem::path& path,
                                            const StoreOptions& options);
[[nodiscard]] Result<Connection> OpenReader(const std::filesystem::path& path,
                                            const StoreOptions& options);

/// An empty database in memory.
[[nodiscard]] Result<Connection> OpenScratch();

/// Compares what the last writer left with what is in the file: a -wal that was deleted or belongs
/// to another copy, and, after an unclean end, damaged pages (quick_check). kCorruptData.
[[nodiscard]] Result<void> CheckAfterLastWriter(const std::filesystem::path& path,
                                                const Database& database, const LockState& last,
                                                bool quick_check);

/// True if a write-ahead log with contents lies beside the store.
[[nodiscard]] bool HasWal(const std::filesystem::path& path);

}  // namespace vade::vectorstore
