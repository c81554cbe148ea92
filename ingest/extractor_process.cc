// posix_spawn (a vfork inside: cheap however large the parent is), one pipe for the outcome and
// one for complaints, a deadline on everything.
#include "ingest/extractor_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/base/unique_fd.h"
#include "ingest/sandbox.h"
#include "ingest/wire.h"

namespace vade::ingest {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWallPerCpuSecond = 4;
constexpr int kCancelPollMs = 100;   // how late a cancel may be noticed
constexpr int kPipeBytes = 1 << 20;  // fewer wake-ups than the default 64 KiB

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

// Descriptors 0-2 may be free in a daemon; the child's redirections need ours out of that range.
UniqueFd AboveStandard(int fd) {
  UniqueFd owned(fd);
  if (fd < 0 || fd > 2) return owned;
  return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

Result<Pipe> MakePipe(int flags) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC | flags) != 0) {
    return Fail(ErrorCode::kResource, std::string("pipe: ") + std::strerror(errno));
  }
  Pipe made{AboveStandard(fds[0]), AboveStandard(fds[1])};
  fcntl(made.write.get(), F_SETPIPE_SZ, kPipeBytes);  // only a speed-up
  return made;
}

int MillisecondsUntil(Clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX));
}

// A running child; killed and reaped at the latest when this goes out of scope.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      Kill();
      (void)Wait();
    }
  }
  void Kill() const { kill(pid_, SIGKILL); }
  /// Waits for the end, at most until `deadline`; does not reap.
  [[nodiscard]] bool EndsBefore(Clock::time_point deadline) const {
    const UniqueFd handle(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    if (!handle) return true;  // kernel before 5.3: RLIMIT_CPU has to do
    pollfd waiting{handle.get(), POLLIN, 0};
    while (true) {
      const int ready = poll(&waiting, 1, MillisecondsUntil(deadline));
      if (ready > 0) return true;
      if (ready == 0) return false;
    }
  }
  int Wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

Result<pid_t> Spawn(const std::string& program, std::vector<std::string> arguments, int in, int out,
                    int complaints) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  // The child starts with no signal blocked or ignored, and in a group of its own, so that Ctrl-C
  // reaches the parent first.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int status =
      posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) {
    return Fail(ErrorCode::kInternal, program + ": cannot start: " + std::strerror(status));
  }
  return pid;
}

tl::unexpected<Error> TimedOut(const ExtractLimits& limits) {
  return Fail(ErrorCode::kResource, "timed out after " + std::to_string(limits.max_seconds) + " s");
}

tl::unexpected<Error> OutOfMemory(const ExtractLimits& limits) {
  return Fail(ErrorCode::kResource,
              "out of memory (limit " + std::to_string(limits.max_memory_bytes >> 20) + " MiB)");
}

// Everything the child writes, until it closes the pipe.
Result<std::string> ReadAll(int fd, const ExtractLimits& limits, Clock::time_point deadline,
                            const CancelToken* cancel) {
  const uint64_t max_bytes = MaxOutcomeBytes(limits.max_text_bytes);
  std::string bytes;
  std::vector<char> buffer(kPipeBytes);
  while (true) {
    if (cancel != nullptr && cancel->cancelled()) return Fail(ErrorCode::kCancelled, "cancelled");
    const int left = MillisecondsUntil(deadline);
    if (left == 0) return TimedOut(limits);
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, std::min(left, kCancelPollMs));
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrorCode::kIo, std::string("extractor pipe: ") + strerror(errno));
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(got) > max_bytes) {
      return Fail(ErrorCode::kResource, "extracted text exceeds the limit of " +
                                            std::to_string(limits.max_text_bytes) + " bytes");
    }
    bytes.append(buffer.data(), static_cast<size_t>(got));
  }
}

// Libraries that cannot allocate say so before they abort; nothing else is read from there.
bool ComplainsAboutMemory(int fd) {
  std::array<char, 4096> buffer;
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got <= 0) return false;
  const std::string_view text(buffer.data(), static_cast<size_t>(got));
  return text.find("ut of memory") != std::string_view::npos ||
         text.find("bad_alloc") != std::string_view::npos;
}

Result<void> JudgeExit(int status, int complaints, const ExtractLimits& limits) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGXCPU) return TimedOut(limits);
    if (signal == SIGABRT && ComplainsAboutMemory(complaints)) return OutOfMemory(limits);
    const char* name = sigabbrev_np(signal);
    return Fail(ErrorCode::kResource,
                "extractor killed: SIG" + std::string(name != nullptr ? name : "?"));
  }
  if (WEXITSTATUS(status) == kExitOutOfMemory) return OutOfMemory(limits);
  if (WEXITSTATUS(status) != 0) {
    return Fail(ErrorCode::kInternal,
                "extractor failed with status " + std::to_string(WEXITSTATUS(status)));
  }
  return {};
}

}  // namespace

Result<std::string> FindHelper(std::string_view name) {
  std::vector<std::string> folders;
  if (const char* folder = secure_getenv("VADE_LIBEXEC"); folder != nullptr && *folder != '\0') {
    folders = {folder};
  } else {
    std::array<char, PATH_MAX> buffer;
    const ssize_t size = readlink("/proc/self/exe", buffer.data(), buffer.size());
    const std::string self(buffer.data(), size > 0 ? static_cast<size_t>(size) : 0);
    const std::string folder_of_self = self.substr(0, self.rfind('/'));
    folders = {folder_of_self, folder_of_self + "/../libexec/vade"};
  }
  std::string tried;
  for (const std::string& folder : folders) {
    std::string path = folder + "/" + std::string(name);
    if (access(path.c_str(), X_OK) == 0) return path;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  return Fail(ErrorCode::kInternal, "extractor program not found (tried " + tried + ")");
}

Result<Document> RunExtractor(FileType type, std::string_view file_name, int input_fd,
                              const ExtractLimits& limits, const CancelToken* cancel) {
  VADE_TRY(const std::string program,
           FindHelper(type == FileType::kPdf ? "vade-extract-pdf" : "vade-extract"));
  VADE_TRY(Pipe outcome, MakePipe(0));
  VADE_TRY(Pipe complaints, MakePipe(O_NONBLOCK));
  // RLIMIT_CPU stops a child that works too long; the clock only stops one that waits for ever, and
  // must not punish documents for a busy machine.
  const auto deadline = Clock::now() + kWallPerCpuSecond * std::chrono::seconds(limits.max_seconds);
  VADE_TRY(const pid_t pid,
           Spawn(program,
                 {program, std::string(FileTypeName(type)), std::string(file_name),
                  std::to_string(limits.max_text_bytes), std::to_string(limits.max_memory_bytes),
                  std::to_string(limits.max_seconds), std::to_string(getpid())},
                 input_fd, outcome.write.get(), complaints.write.get()));
  Child child(pid);
  outcome.write.reset();
  complaints.write.reset();

  VADE_TRY(const std::string bytes, ReadAll(outcome.read.get(), limits, deadline, cancel));
  // The pipe is closed, so the child is gone or as good as gone; but it may lie about that, too.
  if (!child.EndsBefore(deadline)) return TimedOut(limits);
  const int status = child.Wait();
  VADE_CHECK_OK(JudgeExit(status, complaints.read.get(), limits));
  return ParseOutcome(bytes);
}

}  // namespace vade::ingest
