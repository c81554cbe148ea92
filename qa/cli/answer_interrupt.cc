#include "qa/cli/answer_interrupt.h"

#include <atomic>
#include <csignal>

namespace vade::qa {
namespace {

// What the handler may touch. Lock-free, so that it is safe inside a signal handler.
std::atomic<CancelToken*> g_answer{nullptr};
static_assert(std::atomic<CancelToken*>::is_always_lock_free);

struct sigaction g_before;

void OnInterrupt(int /*signal*/) {
  if (CancelToken* token = g_answer.load()) token->Cancel();
}

}  // namespace

AnswerInterrupt::AnswerInterrupt() {
  struct sigaction action {};
  action.sa_handler = OnInterrupt;  // without SA_RESTART: a read at the prompt returns
  sigaction(SIGINT, &action, &g_before);
  std::signal(SIGTERM, SIG_DFL);  // nothing here needs an orderly end
}

AnswerInterrupt::~AnswerInterrupt() { sigaction(SIGINT, &g_before, nullptr); }

AnswerInterrupt::Answer::Answer() { g_answer.store(&token_); }
AnswerInterrupt::Answer::~Answer() { g_answer.store(nullptr); }

}  // namespace vade::qa
