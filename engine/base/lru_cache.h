// LruCache: values by text, the least recently used going first when a size is reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace vade {

/// Thread-safe.
template <typename Value>
class LruCache {
 public:
  /// `max_size` in whatever Put's sizes are counted.
  explicit LruCache(size_t max_size) : max_size_(max_size) {}

  [[nodiscard]] std::optional<Value> Find(std::string_view key) {
    const std::lock_guard lock(mutex_);
    const auto at = by_key_.find(key);
    if (at == by_key_.end()) {
      ++counts_.misses;
      return std::nullopt;
    }
    ++counts_.hits;
    entries_.splice(entries_.begin(), entries_, at->second);
    return entries_.front().value;
  }

  /// What is there already stays; what is larger than a quarter of the whole is not taken.
  void Put(std::string key, Value value, size_t size) {
    if (size > max_size_ / 4) return;
    const std::lock_guard lock(mutex_);
    if (by_key_.contains(key)) return;
    entries_.push_front({std::move(key), std::move(value), size});
    by_key_[entries_.front().key] = entries_.begin();
    size_ += size;
    while (size_ > max_size_) {
      size_ -= entries_.back().size;
      by_key_.erase(entries_.back().key);
      entries_.pop_back();
    }
    counts_.entries = entries_.size();
  }

  struct Counts {
    uint64_t hits = 0;
    uint64_t misses = 0;
    size_t entries = 0;
  };
  [[nodiscard]] Counts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  struct Entry {
    std::string key;
    Value value;
    size_t size;
  };

  const size_t max_size_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // latest first
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_key_;
  size_t size_ = 0;
  Counts counts_;
};

}  // namespace vade
