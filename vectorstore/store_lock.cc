#include "vectorstore/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>

#include "engine/base/file.h"
#include "engine/base/utf8.h"

namespace vade::vectorstore {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(20);
constexpr size_t kStateBytes = 128;  // every state is padded to this, so that one write replaces it

// The number after "key=" in the state line, or 0.
int64_t Field(std::string_view line, std::string_view key) {
  const size_t at = line.find(key);
  if (at == std::string_view::npos) return 0;
  int64_t value = 0;
  std::from_chars(line.data() + at + key.size(), line.data() + line.size(), value);
  return value;
}

LockState ReadState(int fd) {
  LockState state;
  state.exists = true;
  std::array<char, kStateBytes> buffer{};
  const ssize_t size = pread(fd, buffer.data(), buffer.size(), 0);
  if (size <= 0) return state;  // never written: nothing has ended badly
  const std::string_view line(buffer.data(), static_cast<size_t>(size));
  state.clean = line.find(" clean ") != std::string_view::npos;
  state.pid = Field(line, "pid=");
  state.store_id = Field(line, "store=");
  state.generation = Field(line, "generation=");
  return state;
}

}  // namespace

std::filesystem::path LockPath(const std::filesystem::path& store) {
  return store.native() + ".lock";
}

Result<StoreLock> StoreLock::Acquire(const std::filesystem::path& store, uint32_t timeout_ms) {
  const std::filesystem::path path = LockPath(store);
  StoreLock lock;
  lock.fd_.reset(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.fd_) return tl::unexpected(ErrnoError(utf8::Escape(path.native()), errno));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return tl::unexpected(ErrnoError(utf8::Escape(path.native()), errno));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return Fail(ErrorCode::kUnavailable, utf8::Escape(store.native()) + ": locked by pid " +
                                               std::to_string(ReadState(lock.fd_.get()).pid));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  lock.previous_ = ReadState(lock.fd_.get());
  // The pid at once, for the message of those who wait; what was durable stays as it is.
  lock.Record(lock.previous_.store_id, lock.previous_.generation, false);
  return lock;
}

void StoreLock::Record(int64_t store_id, int64_t generation, bool clean) const noexcept {
  std::array<char, kStateBytes> line;
  line.fill(' ');
  const int size =
      std::snprintf(line.data(), line.size(), "vade 1 %s pid=%lld store=%lld generation=%lld",
                    clean ? "clean" : "open", static_cast<long long>(getpid()),
                    static_cast<long long>(store_id), static_cast<long long>(generation));
  line[static_cast<size_t>(size)] = ' ';
  line.back() = '\n';
  // What is missing in the file only makes the next open look closer.
  [[maybe_unused]] const ssize_t written = pwrite(fd_.get(), line.data(), line.size(), 0);
}

LockState ReadLockState(const std::filesystem::path& store) {
  const UniqueFd fd(open(LockPath(store).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return fd ? ReadState(fd.get()) : LockState{};
}

bool IsLocked(const std::filesystem::path& store) {
  const UniqueFd fd(open(LockPath(store).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return fd && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace vade::vectorstore
