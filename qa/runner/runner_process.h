// Starting a runner process, with a private socket as its standard input.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/base/result.h"
#include "engine/base/unique_fd.h"

namespace vade::qa {

struct RunnerProcess {
  pid_t pid = 0;
  UniqueFd socket;
};

/// Starts processes from a thread that lives as long as this object: the kernel kills a runner when
/// the thread that started it ends, and only this one ends with the server.
/// Thread-safe.
class RunnerSpawner {
 public:
  RunnerSpawner();
  ~RunnerSpawner();
  RunnerSpawner(const RunnerSpawner&) = delete;
  RunnerSpawner& operator=(const RunnerSpawner&) = delete;

  /// `program runner`, in a process group of its own, with no file of this process but the socket
  /// and standard error.
  /// Errors: kResource, kIo.
  [[nodiscard]] Result<RunnerProcess> Start(const std::filesystem::path& program);

 private:
  void Loop();

  std::mutex call_mutex_;  // one Start at a time
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  const std::filesystem::path* wanted_ = nullptr;
  std::optional<Result<RunnerProcess>> started_;
  std::thread thread_;
};

/// Ends a process and takes its exit status. Returns what happened: "killed by signal 11", "exited
/// with 1".
std::string KillAndReap(pid_t pid);

}  // namespace vade::qa
