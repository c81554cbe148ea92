// A flag that asks long work to stop; checked between batches, set by Ctrl-C or a lost client.
#pragma once

#include <atomic>

namespace vade {

class CancelToken {
 public:
  void Cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept {
    return cancelled_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace vade
