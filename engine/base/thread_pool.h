// One persistent pool of worker threads with a spinning fork-join; the caller is worker 0.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vade {

/// Runs data-parallel steps of microseconds: workers spin for a short while after a step before
/// they sleep, so that consecutive steps of a forward pass cost no system call.
/// One caller at a time (Run holds a mutex); tasks must not call Run themselves.
class ThreadPool {
 public:
  /// num_threads counts the caller; 0 means all usable cores. Fewer if the system allows no more.
  explicit ThreadPool(size_t num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] size_t num_threads() const noexcept { return workers_.size() + 1; }

  /// Calls task(thread_idx) once on every thread, thread_idx in [0, num_threads()), and waits.
  template <typename Task>
  void Run(const Task& task) {
    RunErased([](const void* context,
                 size_t thread_idx) { (*static_cast<const Task*>(context))(thread_idx); },
              &task);
  }

  /// Calls body(i) for i in [0, count); indices are handed out one by one from a shared counter.
  template <typename Body>
  void ParallelFor(size_t count, const Body& body) {
    std::atomic<size_t> next{0};
    Run([&](size_t) {
      for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) body(i);
    });
  }

 private:
  using ErasedTask = void (*)(const void* context, size_t thread_idx);
  void RunErased(ErasedTask task, const void* context);
  void WorkerLoop(size_t thread_idx);

  std::mutex run_mutex_;    // serialises callers
  std::mutex sleep_mutex_;  // guards the sleep/wake handshake
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<size_t> pending_{0};
  std::atomic<bool> stop_{false};
  ErasedTask task_ = nullptr;      // written before generation_ is released
  const void* context_ = nullptr;  // likewise
  std::vector<std::thread> workers_;
};

}  // namespace vade
