// A progress line on stderr: redrawn in place on a terminal, one line every few seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace vade::qa {

/// Silent for the first two seconds and with --quiet. Single-thread.
class Progress {
 public:
  Progress(std::string_view label, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of `total` work units (bytes, documents); `detail` is shown as is.
  void Update(uint64_t done, uint64_t total, std::string_view detail);

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point start_;
  Clock::time_point last_draw_;
};

/// "38 s", "4 min 10 s", "2 h 5 min".
[[nodiscard]] std::string FormatDuration(double seconds);

/// "1.4 MB"; decimal units as disks are sold.
[[nodiscard]] std::string FormatBytes(uint64_t bytes);

}  // namespace vade::qa
