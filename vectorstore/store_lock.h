// The file beside the store ("library.db.lock") that lets one process write, and that remembers how
// the last writer ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/base/result.h"
#include "engine/base/unique_fd.h"

namespace vade::vectorstore {

/// What the last writer left. The kernel drops its lock when it dies, however it dies; the contents
/// stay and tell a clean end from a crash, and a lost -wal from a complete store.
struct LockState {
  bool exists = false;
  bool clean = true;       // the last writer closed the store
  int64_t pid = 0;         // of the last writer
  int64_t store_id = 0;    // of the store it wrote
  int64_t generation = 0;  // of its last durable commit
};

/// Held while a Store is open for writing. Not thread-safe: the writer's mutex guards it.
class StoreLock {
 public:
  StoreLock() = default;
  /// Waits up to timeout_ms for another writer, then kUnavailable "locked by pid N".
  [[nodiscard]] static Result<StoreLock> Acquire(const std::filesystem::path& store,
                                                 uint32_t timeout_ms);

  [[nodiscard]] const LockState& previous() const noexcept { return previous_; }

  /// Remembers that this process writes and what it has made durable. Best effort: the lock holds
  /// without it.
  void Record(int64_t store_id, int64_t generation, bool clean) const noexcept;

 private:
  UniqueFd fd_;
  LockState previous_;
};

[[nodiscard]] std::filesystem::path LockPath(const std::filesystem::path& store);

/// The contents of the lock file, without taking it.
[[nodiscard]] LockState ReadLockState(const std::filesystem::path& store);

/// True while some process holds the lock.
[[nodiscard]] bool IsLocked(const std::filesystem::path& store);

}  // namespace vade::vectorstore
