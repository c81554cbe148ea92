#include "qa/cli/answer_interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

namespace vade::qa {
namespace {

// What the handler may touch. Lock-free, so that it is safe inside a signal handler.
std::atomic<CancelToken*> g_answer{nullptr};
static_assert(std::atomic<CancelToken*>::is_always_lock_free);

std::array<int, 2> g_wake = {-1, -1};  // a pipe; made once, then constant

struct sigaction g_before;

void OnInterrupt(int /*signal*/) {
  if (CancelToken* token = g_answer.load()) {
    token->Cancel();
  } else {
    const int before = errno;  // of whom this interrupts
    [[maybe_unused]] const ssize_t written = write(g_wake[1], "", 1);
    errno = before;
  }
}

}  // namespace

AnswerInterrupt::AnswerInterrupt() {
  if (g_wake[0] < 0 && pipe2(g_wake.data(), O_CLOEXEC | O_NONBLOCK) != 0) g_wake = {-1, -1};
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESTART;  // what is being printed goes on; a prompt waits by poll()
  sigaction(SIGINT, &action, &g_before);
  std::signal(SIGTERM, SIG_DFL);  // nothing here needs an orderly end
}

AnswerInterrupt::~AnswerInterrupt() { sigaction(SIGINT, &g_before, nullptr); }

int AnswerInterrupt::wake_descriptor() { return g_wake[0]; }

AnswerInterrupt::Answer::Answer() { g_answer.store(&token_); }
AnswerInterrupt::Answer::~Answer() { g_answer.store(nullptr); }

}  // namespace vade::qa
