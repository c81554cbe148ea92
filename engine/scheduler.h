// Scheduler: many replies written side by side by one engine, in one forward pass per step.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/decoder_engine.h"
#include "engine/generation.h"
#include "engine/prefix_cache.h"
#include "engine/token_tries.h"

namespace vade::engine {

struct SchedulerOptions {
  size_t max_parallel = 16;  // replies at once; each more makes all of them a little slower
  size_t max_queue = 64;     // requests waiting beyond those, after which they are refused
};

/// Requests a scheduler is at work on.
struct SchedulerLoad {
  size_t running = 0;
  size_t waiting = 0;
};

/// Thread-safe. First come, first served: a request waits until there is a place and room in the
/// cache for all it may write. What a prompt has in common with an earlier or a running one is not
/// computed again. The engine is used by the scheduler's own thread only and must outlive it.
class Scheduler {
 public:
  Scheduler(DecoderEngine& engine, const SchedulerOptions& options);
  /// Requests that still run end with kUnavailable.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// As Session::Generate, and with greedy sampling the same text whatever runs beside it. `sink`
  /// and `progress` are called on the calling thread. A failing request harms no other.
  /// Errors: Session::Generate's; kResource "queue full"; kUnavailable when the scheduler ends.
  [[nodiscard]] Result<Generation> Generate(std::span<const TokenId> prompt,
                                            const GenerateOptions& options, const TextSink& sink,
                                            const CancelToken* cancel = nullptr,
                                            const PrefillProgress& progress = {});

  [[nodiscard]] SchedulerLoad load() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Ticket;
  struct Part;  // of a pass: the rows of one ticket
  using TicketPtr = std::shared_ptr<Ticket>;

  void Loop();
  // On the scheduler's thread, with the lock:
  void Admit();
  [[nodiscard]] bool FindRoom(Ticket& ticket);
  [[nodiscard]] size_t ReservedPages() const;
  // Without it:
  void Step();
  void DropStopped();
  [[nodiscard]] std::vector<Part> Plan();
  void PlanDecoding(std::vector<Part>& parts, size_t num_decoding);
  void PlanPrefill(std::vector<Part>& parts, bool alone);
  void Run(std::span<Part> parts);
  void Deliver(std::span<Part> parts, std::span<const float> logits);
  void LearnPrefillSpeed(std::span<const Part> parts, Clock::time_point started);
  void Retire(Ticket& ticket);
  void Fail(Ticket& ticket, const Error& error);
  void RemoveFinished();

  DecoderEngine& engine_;
  const SchedulerOptions options_;
  TokenTries tries_;
  PrefixCache prefixes_;            // the scheduler's thread's, as what follows
  std::vector<TicketPtr> running_;  // in the order they came
  double prefill_ms_per_row_ = 0;   // lately; 0: not known yet
  mutable std::mutex mutex_;        // of what follows
  std::condition_variable wake_;
  std::deque<TicketPtr> queue_;
  size_t num_running_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace vade::engine
