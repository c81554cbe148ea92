// Workers: threads that run the handlers, started as they are needed; a bounded queue before them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vade::qa::server {

/// Thread-safe.
class Workers {
 public:
  Workers(size_t max_threads, size_t max_queue)
      : max_threads_(max_threads), max_queue_(max_queue) {}
  ~Workers() { Join(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False: every thread is busy and the queue is full. The task must not throw.
  [[nodiscard]] bool Submit(std::function<void()> task);
  /// Runs what was submitted, then ends the threads. Later submissions are refused.
  void Join();

  [[nodiscard]] size_t queued() const;
  [[nodiscard]] size_t running() const;

 private:
  void Run();

  const size_t max_threads_;
  const size_t max_queue_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  size_t running_ = 0;
  bool closed_ = false;
};

}  // namespace vade::qa::server
