// Accounts: what was asked, how long it took and what it cost, for /metrics, the dashboard, `vade
// usage` and the log. Never what the question or the answer was.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "qa/server/guard.h"

namespace vade::qa::server {

/// Durations in a fixed number of steps, each 10 % wider than the one before: percentiles to within
/// 5 % from 0.1 ms to ten minutes. Not thread-safe.
class LatencyHistogram {
 public:
  void Add(double ms);
  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] double sum_ms() const { return sum_ms_; }
  /// 0 when empty.
  [[nodiscard]] double Percentile(double percent) const;
  /// How many took at most so long.
  [[nodiscard]] uint64_t CountUpTo(double ms) const;

 private:
  static constexpr size_t kSteps = 168;
  std::array<uint32_t, kSteps> steps_{};
  uint64_t count_ = 0;
  double sum_ms_ = 0;
};

/// One finished piece of work of a model.
struct ModelUse {
  std::string request_id;
  std::string key;
  std::string model;
  std::string route;
  uint64_t prompt_tokens = 0;
  uint64_t completion_tokens = 0;
  double prefill_ms = 0;
  double decode_ms = 0;
  double first_token_ms = 0;  // since the request came; 0 without text
  double ms = 0;
  bool cached = false;
};

struct RequestEnd {
  std::string route;
  std::string method;
  int status = 200;
  double ms = 0;
};

/// What a key paid, one line a model and day, from the usage files.
struct UsageRow {
  std::string day;  // "2026-11-21", UTC
  std::string key;
  std::string model;
  uint64_t requests = 0;
  uint64_t cached = 0;
  uint64_t prompt_tokens = 0;
  uint64_t completion_tokens = 0;
  double seconds = 0;
  double cost = 0;
};

/// Thread-safe.
class Accounts {
 public:
  /// `usage_file`: where uses are appended, one JSON object a line; empty: nowhere.
  Accounts(std::filesystem::path usage_file, std::vector<ApiKey> keys, std::string currency);

  void Add(const RequestEnd& end);
  void Add(const ModelUse& use);

  /// The request and token parts of GET /api/v1/dashboard.
  [[nodiscard]] nlohmann::json Dashboard() const;
  /// The same for Prometheus, text format 0.0.4.
  [[nodiscard]] std::string Metrics() const;
  [[nodiscard]] const std::filesystem::path& usage_file() const { return usage_file_; }

 private:
  struct Minute {
    int64_t minute = -1;  // since 1970
    uint64_t requests = 0, errors = 0, prompt_tokens = 0, completion_tokens = 0;
    double decode_ms = 0;
    LatencyHistogram latency;
  };
  struct Totals {
    uint64_t requests = 0, prompt_tokens = 0, completion_tokens = 0;
    double prefill_ms = 0, decode_ms = 0, cost = 0;
    LatencyHistogram first_token;
  };

  [[nodiscard]] double Cost(const ModelUse& use) const;
  Minute& Now();
  void Append(const ModelUse& use, double cost) const;

  const std::filesystem::path usage_file_;
  const std::vector<ApiKey> keys_;
  const std::string currency_;
  const int64_t since_;
  mutable std::mutex mutex_;
  std::array<Minute, 60> minutes_;
  std::map<std::string, LatencyHistogram> routes_;
  std::map<std::array<std::string, 3>, uint64_t> statuses_;  // route, method, status
  std::map<std::string, Totals> models_;
  std::map<std::string, Totals> by_key_;
};

/// Sums the usage file (and the one before it, FILE.1) by day, key and model. Lines that are not
/// ours are skipped. Errors: kNotFound when nothing was ever recorded; kIo.
[[nodiscard]] Result<std::vector<UsageRow>> ReadUsage(const std::filesystem::path& file);

/// A header line, then a line per row.
[[nodiscard]] std::string UsageCsv(const std::vector<UsageRow>& rows);

}  // namespace vade::qa::server
