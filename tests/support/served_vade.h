// ServedVade: a `vade serve` process of the build tree, on a port of its own.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/unique_fd.h"

namespace vade::testing {

class ServedVade {
 public:
  /// HOME and the library are in `home`; its log goes to home/log.
  ServedVade(const std::filesystem::path& home, std::vector<std::string> arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    UniqueFd out(ends[0]);
    const UniqueFd in(ends[1]);
    arguments.insert(arguments.begin(),
                     {VADE_BINARY_DIR "/bin/vade", "serve", "--port", "0", "--json"});
    const std::vector<std::string> environment = {"HOME=" + home.native(), "PATH=/usr/bin:/bin",
                                                  "VADE_STORE=" + (home / "library.db").native()};
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in.get(), STDOUT_FILENO);
      const int log = open((home / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(log, STDERR_FILENO);
      std::vector<char*> argv;
      std::vector<char*> envp;
      for (auto& text : arguments) argv.push_back(text.data());
      for (const auto& text : environment) envp.push_back(const_cast<char*>(text.c_str()));
      argv.push_back(nullptr);
      envp.push_back(nullptr);
      execve(argv[0], argv.data(), envp.data());
      _exit(127);
    }
    ReadPort(out);
  }
  ~ServedVade() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      (void)Wait();
    }
  }
  ServedVade(const ServedVade&) = delete;
  ServedVade& operator=(const ServedVade&) = delete;

  /// 0: it did not start.
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Exit code, or 128 + signal.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int Stop(int signal) {
    kill(pid_, signal);
    return Wait();
  }

 private:
  /// From the line {"pid":..., "url":"http://127.0.0.1:PORT"}.
  void ReadPort(const UniqueFd& out) {
    std::string line;
    for (char c = 0; read(out.get(), &c, 1) == 1 && c != '\n';) line += c;
    const size_t at = line.rfind(':');
    if (at != std::string::npos && line.find("http://") != std::string::npos) {
      port_ = static_cast<uint16_t>(std::strtoul(line.c_str() + at + 1, nullptr, 10));
    }
  }

  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

}  // namespace vade::testing
