#include "engine/base/thread_pool.h"

#include <system_error>

#include "engine/base/cpu_features.h"

namespace vade {
namespace {

// About 50 us of spinning at 4 GHz: longer than the gap between two steps of a forward pass, short
// enough not to burn a core between requests.
constexpr int kSpinIterations = 2000;

inline void CpuRelax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

ThreadPool::ThreadPool(size_t num_threads) {
  if (num_threads == 0) num_threads = UsableCores();
  try {
    for (size_t i = 1; i < num_threads; ++i) workers_.emplace_back([this, i] { WorkerLoop(i); });
  } catch (const std::system_error&) {
    // The system allows no more threads (RLIMIT_NPROC, cgroup): work with those that started.
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(sleep_mutex_);
    stop_.store(true);
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::RunErased(ErasedTask task, const void* context) {
  const std::lock_guard run_lock(run_mutex_);
  if (workers_.empty()) {
    task(context, 0);
    return;
  }
  task_ = task;
  context_ = context;
  pending_.store(workers_.size(), std::memory_order_relaxed);
  {
    const std::lock_guard lock(sleep_mutex_);
    generation_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  task(context, 0);
  for (int spins = 0; pending_.load(std::memory_order_acquire) != 0;) {
    if (++spins < kSpinIterations) {
      CpuRelax();
    } else {
      std::this_thread::yield();  // a worker was descheduled: let it have this core
    }
  }
}

void ThreadPool::WorkerLoop(size_t thread_idx) {
  uint64_t seen = 0;
  while (true) {
    uint64_t current = seen;
    for (int spins = 0; spins < kSpinIterations; ++spins) {
      current = generation_.load(std::memory_order_acquire);
      if (current != seen) break;
      CpuRelax();
    }
    if (current == seen) {
      std::unique_lock lock(sleep_mutex_);
      wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
      current = generation_.load(std::memory_order_acquire);
    }
    seen = current;
    if (stop_.load()) return;
    task_(context_, thread_idx);
    pending_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace vade
