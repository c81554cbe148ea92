// A blocking queue of fixed capacity between two stages of the indexing pipeline.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace vade::qa {

/// Thread-safe. Memory stays bounded: a fast producer waits for a slow consumer.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  /// Waits for room. Returns false, dropping the item, when the queue is closed.
  bool Push(T item) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return items_.size() < capacity_ || closed_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    items_available_.notify_one();
    return true;
  }

  /// Waits for an item; nothing when the queue is closed and empty.
  std::optional<T> Pop() {
    std::unique_lock lock(mutex_);
    items_available_.wait(lock, [&] { return !items_.empty() || closed_; });
    return TakeFront();
  }

  /// The next item if there is one now.
  std::optional<T> TryPop() {
    const std::lock_guard lock(mutex_);
    return TakeFront();
  }

  /// No more pushes; what is queued can still be popped.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
    items_available_.notify_all();
  }

 private:
  std::optional<T> TakeFront() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return item;
  }

  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable items_available_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace vade::qa
