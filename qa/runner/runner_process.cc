#include "qa/runner/runner_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace vade::qa {
namespace {

tl::unexpected<Error> StartError(const std::filesystem::path& program, int error) {
  return Fail(
      error == ENOMEM || error == EAGAIN || error == EMFILE ? ErrorCode::kResource : ErrorCode::kIo,
      program.string() + " runner: " + std::generic_category().message(error));
}

// What the child does before it becomes the program.
class SpawnPlan {
 public:
  explicit SpawnPlan(int socket) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, socket, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);  // Ctrl-C is the server's to handle
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  [[nodiscard]] int Run(const std::filesystem::path& program, pid_t* pid) const {
    std::string name = program.native();
    std::string command = "runner";
    const std::array<char*, 3> argv = {name.data(), command.data(), nullptr};
    return posix_spawn(pid, name.c_str(), &actions_, &attributes_, argv.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Result<RunnerProcess> StartHere(const std::filesystem::path& program) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return StartError(program, errno);
  }
  RunnerProcess process{0, UniqueFd(ends[0])};
  const UniqueFd theirs(ends[1]);
  const int error = SpawnPlan(theirs.get()).Run(program, &process.pid);
  if (error != 0) return StartError(program, error);
  return process;
}

}  // namespace

RunnerSpawner::RunnerSpawner() : thread_([this] { Loop(); }) {}

RunnerSpawner::~RunnerSpawner() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RunnerSpawner::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || wanted_ != nullptr; });
    if (stop_) return;
    started_ = StartHere(*std::exchange(wanted_, nullptr));
    changed_.notify_all();
  }
}

Result<RunnerProcess> RunnerSpawner::Start(const std::filesystem::path& program) {
  const std::lock_guard call(call_mutex_);
  std::unique_lock lock(mutex_);
  wanted_ = &program;
  changed_.notify_all();
  changed_.wait(lock, [&] { return started_.has_value(); });
  Result<RunnerProcess> started = *std::move(started_);
  started_.reset();
  return started;
}

std::string KillAndReap(pid_t pid) {
  kill(pid, SIGKILL);  // changes nothing for one that has ended by itself
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = waitpid(pid, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  if (reaped == pid && WIFEXITED(status)) {
    return "exited with " + std::to_string(WEXITSTATUS(status));
  }
  return reaped == pid ? "killed by signal " + std::to_string(WTERMSIG(status)) : "gone";
}

}  // namespace vade::qa
