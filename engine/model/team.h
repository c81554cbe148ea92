// Who runs the steps of a pass: all threads of a pool, or the calling thread alone.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "engine/base/thread_pool.h"

namespace vade::model {

class Team {
 public:
  Team() = default;                                  // the calling thread
  explicit Team(ThreadPool& pool) : pool_(&pool) {}  // REQUIRES not called from one of its tasks

  [[nodiscard]] size_t size() const noexcept { return pool_ == nullptr ? 1 : pool_->num_threads(); }

  /// body(i, thread_idx) for i in [0, count), thread_idx < size(); returns when all are done.
  template <typename Body>
  void For(size_t count, const Body& body) const {
    if (pool_ == nullptr || count <= 1) {
      for (size_t i = 0; i < count; ++i) body(i, 0);
      return;
    }
    std::atomic<size_t> next{0};
    pool_->Run([&](size_t thread_idx) {
      for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
        body(i, thread_idx);
      }
    });
  }

  /// body(begin, end, thread_idx) over [0, count) in pieces of at least `smallest`, about three per
  /// thread so that a late thread costs little; one piece for a team of one.
  template <typename Body>
  void ForRanges(size_t count, size_t smallest, const Body& body) const {
    const size_t wanted = size() == 1 ? 1 : 3 * size();
    const size_t piece = std::max(smallest, (count + wanted - 1) / wanted);
    const size_t whole = (piece + smallest - 1) / smallest * smallest;
    For((count + whole - 1) / whole, [&](size_t i, size_t thread_idx) {
      body(i * whole, std::min(count, (i + 1) * whole), thread_idx);
    });
  }

 private:
  ThreadPool* pool_ = nullptr;
};

}  // namespace vade::model
