// Jobs: long work that a request starts and others watch: indexing a collection, evaluating a set.
// One runs at a time; the rest wait in line.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"

namespace vade::qa::server {

/// Thread-safe.
class Jobs {
 public:
  /// Tells how far the work is: members of the job's JSON.
  using Report = std::function<void(nlohmann::json)>;
  /// Gives the last members of the job's JSON.
  using Work = std::function<Result<nlohmann::json>(const CancelToken&, const Report&)>;

  Jobs();
  ~Jobs() { Stop(); }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  /// `facts`: members that the job's JSON begins with. Returns that JSON.
  /// Errors: kResource when too many wait.
  [[nodiscard]] Result<nlohmann::json> Start(const std::string& kind, nlohmann::json facts,
                                             Work work);
  /// {id, state, started_at, finished_at, error, ...}. Errors: kNotFound.
  [[nodiscard]] Result<nlohmann::json> Get(const std::string& kind, const std::string& id) const;
  /// The latest first.
  [[nodiscard]] nlohmann::json List(const std::string& kind) const;
  /// Waits until the job changed since `version`, or for a while; gives the new version.
  [[nodiscard]] uint64_t WaitForChange(const std::string& id, uint64_t version) const;
  /// Errors: kNotFound.
  [[nodiscard]] Result<nlohmann::json> Cancel(const std::string& kind, const std::string& id);
  /// Cancels everything and waits for what runs.
  void Stop();

  /// Nothing comes after: done, failed or cancelled.
  [[nodiscard]] static bool IsOver(const nlohmann::json& job);

 private:
  struct Job {
    std::string kind;
    nlohmann::json state;
    Work work;
    CancelToken cancel;
    uint64_t version = 0;
  };

  void Run();
  void Update(Job& job, nlohmann::json members);
  [[nodiscard]] std::shared_ptr<Job> Find(const std::string& kind, const std::string& id) const;

  static constexpr size_t kMaxWaiting = 16;
  static constexpr size_t kMaxKept = 100;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;  // the latest first
  std::deque<std::shared_ptr<Job>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vade::qa::server
