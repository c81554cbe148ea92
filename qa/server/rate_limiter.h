// RateLimiter: so many requests a minute for each key, evenly refilled.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace vade::qa::server {

/// Thread-safe.
class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Nothing: go on. Otherwise the seconds after which the next one is taken. A limit of 0 is none.
  [[nodiscard]] std::optional<unsigned> Take(const std::string& key, uint32_t per_minute,
                                             Time now) {
    if (per_minute == 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = buckets_.try_emplace(key, Bucket{double(per_minute), now});
    Bucket& bucket = at->second;
    const double rate = per_minute / 60.0;
    const double elapsed = std::chrono::duration<double>(now - bucket.last).count();
    bucket.tokens = std::min(double(per_minute), bucket.tokens + elapsed * rate);
    bucket.last = now;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return std::nullopt;
    }
    return static_cast<unsigned>((1 - bucket.tokens) / rate) + 1;
  }

 private:
  struct Bucket {
    double tokens;
    Time last;
  };
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;  // one for each configured key
};

}  // namespace vade::qa::server
