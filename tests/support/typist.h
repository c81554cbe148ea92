// Typist: the program at a pseudo-terminal, as a person uses it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/base/unique_fd.h"

namespace vade::testing {

/// vade at a pseudo-terminal.
class Typist {
 public:
  Typist(const std::filesystem::path& home, std::vector<std::string> arguments) {
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TERM=dumb",
                                            "HOME=" + home.string(),
                                            "VADE_STORE=" + (home / "library.db").string()};
    arguments.insert(arguments.begin(), VADE_BINARY_DIR "/bin/vade");
    std::vector<char*> argv;
    std::vector<char*> envp;
    for (auto& text : arguments) argv.push_back(text.data());
    for (auto& text : environment) envp.push_back(text.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    int terminal = -1;
    child_ = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child_ == 0) {
      execve(argv[0], argv.data(), envp.data());
      _exit(127);
    }
    terminal_ = UniqueFd(terminal);
  }
  ~Typist() {
    if (child_ > 0 && !ended_) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }

  void Type(std::string_view keys) {
    EXPECT_EQ(write(terminal_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  /// Reads on until `text` appears behind what was seen before.
  bool Sees(const std::string& text) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(60);
    while (Clock::now() < end) {
      if (const size_t at = seen_.find(text, looked_); at != std::string::npos) {
        looked_ = at + text.size();
        return true;
      }
      pollfd wait{terminal_.get(), POLLIN, 0};
      if (poll(&wait, 1, 1000) <= 0) continue;
      char buffer[4096];
      const ssize_t n = read(terminal_.get(), buffer, sizeof buffer);
      if (n <= 0) return false;
      seen_.append(buffer, static_cast<size_t>(n));
    }
    return false;
  }
  /// Exit code, or 128 + signal; a program that goes on for a minute is killed.
  int Wait() {
    while (Sees("\x01 nothing prints this")) continue;
    int status = 0;
    if (waitpid(child_, &status, WNOHANG) == 0) {
      std::this_thread::sleep_for(std::chrono::seconds(1));  // its output has ended, it has not yet
      kill(child_, SIGKILL);
      waitpid(child_, &status, 0);
    }
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  const std::string& seen() const { return seen_; }

 private:
  pid_t child_ = -1;
  UniqueFd terminal_;
  std::string seen_;
  size_t looked_ = 0;
  bool ended_ = false;
};

}  // namespace vade::testing
