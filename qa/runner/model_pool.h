// ModelPool: the models a server has loaded, each in a runner process of its own: started on first
// use, kept for a while, unloaded when others need the room.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "qa/runner/model_names.h"
#include "qa/runner/runner_client.h"
#include "qa/runner/runner_process.h"

namespace vade::qa {

struct ModelPoolOptions {
  using Clock = std::chrono::steady_clock;

  ModelNames names;
  RunnerSetup setup;              // of every runner; model and kind are filled in
  std::filesystem::path program;  // that is run as "program runner"; empty: this one
  uint64_t memory_budget = 0;     // bytes of all models together; 0: what is available at the start
  size_t max_loaded = 8;          // models at once
  std::chrono::seconds keep_alive{300};  // of an unused model; negative: forever
  std::chrono::seconds load_timeout{300};
  std::function<Clock::time_point()> clock = [] { return Clock::now(); };  // of keep_alive
};

/// A model as `ps` shows it.
struct LoadedModel {
  std::string name;  // by which it was first asked for
  std::filesystem::path path;
  ModelKind kind = ModelKind::kGenerate;
  uint64_t file_bytes = 0;
  uint64_t memory_bytes = 0;
  size_t context_length = 0;
  std::optional<std::chrono::steady_clock::time_point> expires_at;  // none: never, or in use
  size_t in_use = 0;                                                // requests in flight
  pid_t pid = 0;
  bool loading = false;
};

class ModelPool;

/// The use of a loaded model by one request; it is not unloaded meanwhile. Not longer than the
/// pool.
class ModelLease {
 public:
  ~ModelLease();
  ModelLease(const ModelLease&) = delete;
  ModelLease& operator=(const ModelLease&) = delete;

  /// Of kind generate. Keeps the process, not the place in the pool.
  [[nodiscard]] engine::LanguageModel& model() const { return *model_; }
  /// All kinds: Embed, Rerank, CountTokens, Stats.
  [[nodiscard]] RunnerClient& client() const { return *client_; }
  [[nodiscard]] const RunnerInfo& info() const { return client_->info(); }

 private:
  friend class ModelPool;
  ModelLease(ModelPool& pool, std::shared_ptr<RunnerClient> client, std::string name,
             std::optional<std::chrono::seconds> keep_alive);

  ModelPool& pool_;
  std::shared_ptr<RunnerClient> client_;
  std::unique_ptr<RunnerModel> model_;
  std::optional<std::chrono::seconds> keep_alive_;
};

/// Thread-safe.
class ModelPool {
 public:
  explicit ModelPool(ModelPoolOptions options);
  ~ModelPool();  // Shutdown(0)
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;

  /// The model, loaded if it is not; callers who want the same one wait for one start. When it is
  /// given back, it is kept for `keep_alive` (none: the options'; 0: not at all; negative: until
  /// stopped). Unused models make room, the one that was used longest ago first.
  /// Errors: kNotFound for the name; kResource "needs X, have Y" and when all places are in use;
  /// kUnavailable for a runner that dies or does not load in time, at once if it has often lately;
  /// kCancelled; those of loading.
  [[nodiscard]] Result<std::shared_ptr<ModelLease>> Acquire(
      std::string_view name, ModelKind kind,
      std::optional<std::chrono::seconds> keep_alive = std::nullopt,
      const CancelToken* cancel = nullptr);

  /// Unloads the model of this name, all its kinds: now, or when it is no longer used.
  /// Errors: kNotFound if none is loaded.
  [[nodiscard]] Result<void> Stop(std::string_view name);

  /// Loaded and loading ones, the last used first.
  [[nodiscard]] std::vector<LoadedModel> Loaded() const;

  /// Unloads what has expired. The pool's own thread does so by itself; for clocks of tests.
  void Tick();

  /// Refuses new uses (kUnavailable), waits for those there are until `deadline`, ends all runners.
  void Shutdown(std::chrono::milliseconds deadline);

  [[nodiscard]] const ModelNames& names() const { return options_.names; }
  [[nodiscard]] uint64_t memory_budget() const { return options_.memory_budget; }

 private:
  friend class ModelLease;
  using TimePoint = ModelPoolOptions::Clock::time_point;

  struct Entry {
    std::string name;
    std::filesystem::path path;
    ModelKind kind = ModelKind::kGenerate;
    uint64_t file_bytes = 0;
    uint64_t need_bytes = 0;
    bool loading = true;
    std::shared_ptr<RunnerClient> client;
    size_t in_use = 0;
    bool stop_when_unused = false;
    std::optional<TimePoint> expires_at;
  };
  struct Crashes {  // of one file and kind
    std::filesystem::path path;
    ModelKind kind = ModelKind::kGenerate;
    size_t count = 0;
    TimePoint last;
  };
  using Entries = std::list<Entry>;  // the last used first

  // All REQUIRE the lock, which those with `lock` give up while they wait.
  [[nodiscard]] Entry* Find(const std::filesystem::path& path, ModelKind kind);
  [[nodiscard]] Result<void> CheckCrashes(const std::filesystem::path& path, ModelKind kind);
  void NoteCrash(const Entry& entry);
  void DropDead();
  [[nodiscard]] Result<std::shared_ptr<RunnerClient>> Start(std::unique_lock<std::mutex>& lock,
                                                            Entry& entry);
  [[nodiscard]] Result<void> MakeRoom(std::unique_lock<std::mutex>& lock, const Entry& entry);
  [[nodiscard]] bool UnloadOne(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::shared_ptr<ModelLease> Lend(Entry& entry,
                                                 std::optional<std::chrono::seconds> keep_alive);
  void Remove(std::unique_lock<std::mutex>& lock, const Entry& entry);

  void GiveBack(const RunnerClient& client, std::optional<std::chrono::seconds> keep_alive);
  void KeeperLoop();

  ModelPoolOptions options_;
  RunnerSpawner spawner_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  Entries entries_;
  std::vector<Crashes> crashes_;
  bool closing_ = false;
  std::thread keeper_;
};

}  // namespace vade::qa
