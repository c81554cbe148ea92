// Deadline: a cancellation that comes by itself when a time is over, or with another one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/base/cancel.h"

namespace vade::qa {

/// A thread watches for both; it ends with the object.
class Deadline {
 public:
  /// `parent` may be null.
  Deadline(const CancelToken* parent, std::chrono::milliseconds time);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  [[nodiscard]] const CancelToken* token() const { return &token_; }
  [[nodiscard]] bool is_over() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  void Watch();

  const CancelToken* parent_;
  const std::chrono::steady_clock::time_point end_;
  CancelToken token_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;  // guarded by mutex_
  std::thread watcher_;
};

}  // namespace vade::qa
