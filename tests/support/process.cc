#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "engine/base/check.h"
#include "engine/base/unique_fd.h"

namespace vade::testing {
namespace {

namespace fs = std::filesystem;

struct Pipe {
  UniqueFd read, write;
};

Pipe MakePipe() {
  int fds[2];
  VADE_CHECK(pipe2(fds, O_CLOEXEC) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

UniqueFd StdinWith(const std::string& text) {
  char name[] = "/tmp/vade-stdin-XXXXXX";
  UniqueFd fd(mkstemp(name));
  VADE_CHECK(fd);
  unlink(name);
  VADE_CHECK(write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// Reads one pipe; false at its end.
bool Drain(UniqueFd& fd, std::string& into) {
  std::array<char, 65536> buffer;
  const ssize_t n = read(fd.get(), buffer.data(), buffer.size());
  if (n > 0) {
    into.append(buffer.data(), static_cast<size_t>(n));
    return true;
  }
  fd.reset();
  return false;
}

void Collect(pid_t child, Pipe& out, Pipe& err, const RunOptions& options, Finished& finished) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  int signal_after =
      options.interrupt_after_ms >= 0 ? options.interrupt_after_ms : options.kill_after_ms;
  const int signal = options.interrupt_after_ms >= 0 ? SIGINT : SIGKILL;
  while (out.read || err.read) {
    std::array<pollfd, 2> fds = {pollfd{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    const int wait =
        signal_after < 0 ? -1 : static_cast<int>(std::max<long>(0, signal_after - elapsed));
    const int ready = poll(fds.data(), fds.size(), wait);
    if (ready == 0) {
      kill(child, signal);
      signal_after = -1;
      continue;
    }
    if (fds[0].revents != 0) Drain(out.read, finished.out);
    if (fds[1].revents != 0) Drain(err.read, finished.err);
    if (options.close_stdout_after > 0 && finished.out.size() >= options.close_stdout_after) {
      out.read.reset();
    }
  }
}

}  // namespace

Finished RunVade(const fs::path& home, const std::vector<std::string>& arguments,
                 const RunOptions& options) {
  std::vector<std::string> argv = {VADE_BINARY_DIR "/bin/vade"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
                                          "HOME=" + home.string(),
                                          "VADE_STORE=" + (home / "library.db").string()};
  for (const auto& [name, value] : options.environment) {
    const std::string assigned = name + "=";
    std::erase_if(environment, [&](const auto& entry) { return entry.starts_with(assigned); });
    environment.push_back(assigned + value);
  }
  const auto argv_pointers = Pointers(argv);
  const auto environment_pointers = Pointers(environment);
  UniqueFd input = StdinWith(options.stdin_text);
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  if (!options.stdout_path.empty()) {
    out.write = UniqueFd(open(options.stdout_path.c_str(), O_WRONLY | O_CLOEXEC));
    VADE_CHECK(out.write);
  }
  const pid_t child = fork();
  VADE_CHECK(child >= 0);
  if (child == 0) {
    dup2(input.get(), STDIN_FILENO);
    dup2(out.write.get(), STDOUT_FILENO);
    dup2(err.write.get(), STDERR_FILENO);
    execve(argv_pointers[0], argv_pointers.data(), environment_pointers.data());
    _exit(127);
  }
  out.write.reset();
  err.write.reset();
  if (!options.stdout_path.empty()) out.read.reset();
  Finished finished;
  Collect(child, out, err, options, finished);
  int status = 0;
  VADE_CHECK(waitpid(child, &status, 0) == child);
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "vade-test-XXXXXX").string();
  VADE_CHECK(mkdtemp(name.data()) != nullptr);
  path_ = fs::canonical(name);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TemporaryFolder::Write(const fs::path& relative, std::string_view bytes) const {
  const fs::path path = path_ / relative;
  fs::create_directories(path.parent_path());
  std::ofstream stream(path, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  VADE_CHECK(stream.good());
  return path;
}

}  // namespace vade::testing
