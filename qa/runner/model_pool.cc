#include "qa/runner/model_pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/memory_info.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kCancelPoll{20};
constexpr milliseconds kUnloadGrace{2'000};
constexpr seconds kKeeperPeriod{1};  // how late an expired model may be unloaded
constexpr size_t kFreeCrashes = 2;   // in a row before starting anew has to wait
constexpr seconds kLongestWait{60};
constexpr seconds kCrashMemory{300};  // a runner that lasted this long begins with a clean slate

uint64_t FileBytes(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  return error ? 0 : bytes;
}

}  // namespace

// --- Lease ---------------------------------------------------------------------------------------

ModelLease::ModelLease(ModelPool& pool, std::shared_ptr<RunnerClient> client, std::string name,
                       std::optional<seconds> keep_alive)
    : pool_(pool),
      client_(std::move(client)),
      model_(std::make_unique<RunnerModel>(client_, std::move(name))),
      keep_alive_(keep_alive) {}

ModelLease::~ModelLease() { pool_.GiveBack(*client_, keep_alive_); }

// --- Pool ----------------------------------------------------------------------------------------

ModelPool::ModelPool(ModelPoolOptions options) : options_(std::move(options)) {
  if (options_.program.empty()) options_.program = "/proc/self/exe";
  if (options_.memory_budget == 0) options_.memory_budget = AvailableMemoryBytes();
  keeper_ = std::thread([this] { KeeperLoop(); });
}

ModelPool::~ModelPool() {
  Shutdown(milliseconds(0));
  keeper_.join();
}

ModelPool::Entry* ModelPool::Find(const fs::path& path, ModelKind kind) {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->path != path || at->kind != kind) continue;
    entries_.splice(entries_.begin(), entries_, at);  // nodes stay where they are
    return &entries_.front();
  }
  return nullptr;
}

Result<void> ModelPool::CheckCrashes(const fs::path& path, ModelKind kind) {
  const auto now = options_.clock();
  std::erase_if(crashes_, [&](const Crashes& c) { return now - c.last > kCrashMemory; });
  for (const Crashes& crashes : crashes_) {
    if (crashes.path != path || crashes.kind != kind || crashes.count <= kFreeCrashes) continue;
    const auto doubled = seconds(1) * (1 << std::min<size_t>(crashes.count - kFreeCrashes, 6));
    const auto wait = std::min<seconds>(doubled, kLongestWait);
    if (now - crashes.last >= wait) continue;
    const auto left = std::chrono::ceil<seconds>(wait - (now - crashes.last));
    return Fail(ErrorCode::kUnavailable, path.filename().string() + ": its runner has died " +
                                             std::to_string(crashes.count) +
                                             " times; it is tried again in " +
                                             std::to_string(left.count()) + " s");
  }
  return {};
}

void ModelPool::NoteCrash(const Entry& entry) {
  const auto same = std::ranges::find_if(crashes_, [&](const Crashes& crashes) {
    return crashes.path == entry.path && crashes.kind == entry.kind;
  });
  if (same == crashes_.end()) {
    crashes_.push_back({entry.path, entry.kind, 1, options_.clock()});
  } else {
    ++same->count;
    same->last = options_.clock();
  }
}

// Runners that died are forgotten; those who use them learn it from their calls.
void ModelPool::DropDead() {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const bool dead = !at->loading && !at->client->alive();
    if (dead) NoteCrash(*at);
    at = dead ? entries_.erase(at) : std::next(at);
  }
}

std::shared_ptr<ModelLease> ModelPool::Lend(Entry& entry, std::optional<seconds> keep_alive) {
  ++entry.in_use;
  entry.expires_at.reset();
  return std::shared_ptr<ModelLease>(new ModelLease(*this, entry.client, entry.name, keep_alive));
}

Result<std::shared_ptr<ModelLease>> ModelPool::Acquire(std::string_view name, ModelKind kind,
                                                       std::optional<seconds> keep_alive,
                                                       const CancelToken* cancel) {
  VADE_TRY(const fs::path path, options_.names.Find(name));
  std::unique_lock lock(mutex_);
  while (true) {
    if (closing_) return Fail(ErrorCode::kUnavailable, "the server is shutting down");
    if (cancel != nullptr && cancel->cancelled()) return Fail(ErrorCode::kCancelled, "cancelled");
    DropDead();
    Entry* found = Find(path, kind);
    if (found == nullptr) break;
    if (!found->loading && !found->stop_when_unused) return Lend(*found, keep_alive);
    changed_.wait_for(lock, kCancelPoll);
  }
  VADE_CHECK_OK(CheckCrashes(path, kind));
  entries_.push_front(
      {.name = std::string(name), .path = path, .kind = kind, .file_bytes = FileBytes(path)});
  Entry& entry = entries_.front();
  auto client = Start(lock, entry);
  if (client) {
    entry.client = *std::move(client);
    entry.loading = false;
    changed_.notify_all();
    return Lend(entry, keep_alive);
  }
  if (client.error().code == ErrorCode::kUnavailable && !closing_) NoteCrash(entry);
  entries_.remove_if([&](const Entry& other) { return &other == &entry; });
  changed_.notify_all();
  return tl::unexpected(client.error());
}

Result<std::shared_ptr<RunnerClient>> ModelPool::Start(std::unique_lock<std::mutex>& lock,
                                                       Entry& entry) {
  RunnerSetup setup = options_.setup;
  setup.model = entry.path;
  setup.kind = entry.kind;
  const milliseconds timeout = options_.load_timeout;
  lock.unlock();
  std::shared_ptr<RunnerClient> client;
  const auto measure = [&]() -> Result<uint64_t> {
    VADE_TRY(RunnerProcess process, spawner_.Start(options_.program));
    client = std::make_shared<RunnerClient>(std::move(process), entry.name);
    return client->Measure(setup, timeout);
  };
  const auto need = measure();
  lock.lock();
  if (!need) return tl::unexpected(need.error());
  entry.need_bytes = *need;
  VADE_CHECK_OK(MakeRoom(lock, entry));
  lock.unlock();
  const auto loaded = client->Load(timeout);
  lock.lock();
  if (!loaded) return tl::unexpected(loaded.error());
  if (closing_) return Fail(ErrorCode::kUnavailable, "the server is shutting down");
  return client;
}

Result<void> ModelPool::MakeRoom(std::unique_lock<std::mutex>& lock, const Entry& entry) {
  while (true) {
    uint64_t used = 0;
    size_t places = 0;
    for (const Entry& other : entries_) {
      if (&other == &entry || other.need_bytes == 0) continue;  // 0: not measured yet
      used += other.need_bytes;
      ++places;
    }
    const uint64_t have = options_.memory_budget - std::min(options_.memory_budget, used);
    const bool fits = entry.need_bytes <= have;
    if (fits && places < options_.max_loaded) return {};
    if (UnloadOne(lock)) continue;
    if (!fits) {
      return Fail(ErrorCode::kResource, entry.name + ": needs " + FormatBytes(entry.need_bytes) +
                                            " of memory, have " + FormatBytes(have) + " of " +
                                            FormatBytes(options_.memory_budget));
    }
    return Fail(ErrorCode::kResource, entry.name + ": " + std::to_string(places) +
                                          " models are in use, which is the most allowed");
  }
}

// The unused model that was used longest ago. False if there is none.
bool ModelPool::UnloadOne(std::unique_lock<std::mutex>& lock) {
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) {
    if (at->loading || at->in_use > 0) continue;
    Remove(lock, *at);
    return true;
  }
  return false;
}

// Ends the runner of an unused model, whose memory is free then.
void ModelPool::Remove(std::unique_lock<std::mutex>& lock, const Entry& entry) {
  const std::shared_ptr<RunnerClient> client = entry.client;
  entries_.remove_if([&](const Entry& other) { return &other == &entry; });
  lock.unlock();
  client->Shutdown(kUnloadGrace);
  lock.lock();
  changed_.notify_all();
}

void ModelPool::GiveBack(const RunnerClient& client, std::optional<seconds> keep_alive) {
  std::unique_lock lock(mutex_);
  const auto entry = std::ranges::find_if(
      entries_, [&](const Entry& other) { return other.client.get() == &client; });
  if (entry == entries_.end()) return;  // it died, or was ended
  --entry->in_use;
  changed_.notify_all();
  if (entry->in_use > 0) return;
  const seconds keep = keep_alive.value_or(options_.keep_alive);
  if (keep.count() == 0 || entry->stop_when_unused) return Remove(lock, *entry);
  if (keep.count() > 0) entry->expires_at = options_.clock() + keep;
}

Result<void> ModelPool::Stop(std::string_view name) {
  const auto path = options_.names.Find(name);
  std::unique_lock lock(mutex_);
  bool any = false;
  std::vector<const Entry*> unused;
  for (Entry& entry : entries_) {
    if (entry.name != name && (!path || entry.path != *path)) continue;
    any = true;
    entry.stop_when_unused = true;
    if (!entry.loading && entry.in_use == 0) unused.push_back(&entry);
  }
  if (!any) {
    return Fail(ErrorCode::kNotFound,
                "model '" + std::string(name.substr(0, 200)) + "' is not loaded");
  }
  // Those of one name differ in kind only: two at most, and Remove gives up the lock.
  for (const Entry* entry : unused) {
    const bool still_there = std::ranges::any_of(
        entries_, [&](const Entry& other) { return &other == entry && other.in_use == 0; });
    if (still_there) Remove(lock, *entry);
  }
  return {};
}

std::vector<LoadedModel> ModelPool::Loaded() const {
  const std::lock_guard lock(mutex_);
  std::vector<LoadedModel> out;
  for (const Entry& entry : entries_) {
    if (!entry.loading && !entry.client->alive()) continue;
    out.push_back({.name = entry.name,
                   .path = entry.path,
                   .kind = entry.kind,
                   .file_bytes = entry.file_bytes,
                   .memory_bytes = entry.need_bytes,
                   .context_length = entry.loading ? 0 : entry.client->info().context_length,
                   .expires_at = entry.expires_at,
                   .in_use = entry.in_use,
                   .pid = entry.loading ? 0 : entry.client->pid(),
                   .loading = entry.loading});
  }
  return out;
}

void ModelPool::Tick() {
  std::unique_lock lock(mutex_);
  DropDead();
  const auto now = options_.clock();
  while (true) {
    const auto expired = std::ranges::find_if(entries_, [&](const Entry& entry) {
      return !entry.loading && entry.in_use == 0 && entry.expires_at && *entry.expires_at <= now;
    });
    if (expired == entries_.end()) return;
    Remove(lock, *expired);
  }
}

void ModelPool::KeeperLoop() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    changed_.wait_for(lock, kKeeperPeriod, [&] { return closing_; });
    if (closing_) return;
    lock.unlock();
    Tick();
    lock.lock();
  }
}

void ModelPool::Shutdown(milliseconds deadline) {
  std::unique_lock lock(mutex_);
  closing_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, deadline, [&] {
    return std::ranges::all_of(
        entries_, [](const Entry& entry) { return !entry.loading && entry.in_use == 0; });
  });
  std::vector<std::shared_ptr<RunnerClient>> clients;
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (!at->loading) clients.push_back(at->client);
    at = at->loading ? std::next(at) : entries_.erase(at);
  }
  lock.unlock();
  for (const auto& client : clients) client->Shutdown(kUnloadGrace);
  lock.lock();
  // Whoever is loading one sees closing_ and gives up.
  changed_.wait(lock, [&] { return entries_.empty(); });
}

}  // namespace vade::qa
