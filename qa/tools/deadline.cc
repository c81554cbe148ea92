#include "qa/tools/deadline.h"

#include <algorithm>

namespace vade::qa {
namespace {

constexpr std::chrono::milliseconds kLookAround(20);  // how late a parent's cancellation may come

}  // namespace

Deadline::Deadline(const CancelToken* parent, std::chrono::milliseconds time)
    : parent_(parent),
      end_(std::chrono::steady_clock::now() + time),
      watcher_([this] { Watch(); }) {}

Deadline::~Deadline() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

void Deadline::Watch() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (is_over() || (parent_ != nullptr && parent_->cancelled())) return token_.Cancel();
    const auto look = std::chrono::steady_clock::now() + kLookAround;
    changed_.wait_until(lock, parent_ == nullptr ? end_ : std::min(end_, look));
  }
}

}  // namespace vade::qa
