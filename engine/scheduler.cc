// Each step is one forward pass: a row for each reply being written, guesses while few are, and a
// piece of the prompts of those that have just come. The piece is as long as what the others can
// wait for: a long prompt makes them slower, it does not stop them.
#include "engine/scheduler.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

namespace vade::engine {
namespace {

constexpr size_t kAlonePrefillRows = 512;  // between two looks at new requests
constexpr size_t kLeastPrefillRows = 16;
constexpr size_t kFirstPrefillRows = 64;  // beside others, before the speed is known
constexpr double kPrefillShareMs = 100;   // what a piece of a prompt may delay the others
constexpr size_t kDraftRows = 16;         // guesses of all replies in a pass

double Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

size_t PagesFor(size_t tokens, size_t page_tokens) {
  return (tokens + page_tokens - 1) / page_tokens;
}

}  // namespace

// --- Tickets -------------------------------------------------------------------------------------

struct Scheduler::Ticket {
  // Set by the caller before anybody else sees it.
  std::vector<TokenId> prompt;
  const CancelToken* cancel = nullptr;
  bool keep_prefix = true;
  size_t most_tokens = 0;  // that its sequence may come to hold
  Clock::time_point asked;

  // The scheduler's.
  std::optional<GenerationRun> run;
  SequenceId sequence = 0;
  std::vector<TokenId> tokens;  // that the sequence holds
  size_t reused = 0;
  Clock::time_point begun;
  Clock::time_point prefilled;
  bool finished = false;

  // Between both.
  std::atomic<bool> enough{false};  // the sink has said so
  std::mutex mutex;                 // of what follows
  std::condition_variable changed;
  std::string text;  // that the caller has not taken yet
  bool progressed = false;
  size_t computed = 0;  // of the prompt
  std::optional<Result<Generation>> result;

  [[nodiscard]] bool cancelled() const { return cancel != nullptr && cancel->cancelled(); }
  [[nodiscard]] bool prefilling() const { return tokens.size() < prompt.size(); }

  /// As the run's sink, on any thread of the engine.
  bool Write(std::string_view piece) {
    {
      const std::lock_guard lock(mutex);
      text += piece;
    }
    changed.notify_all();
    return !enough;
  }
  void Progress() {
    {
      const std::lock_guard lock(mutex);
      progressed = true;
      computed = tokens.size();
    }
    changed.notify_all();
  }
  void Finish(Result<Generation> outcome) {
    finished = true;
    {
      const std::lock_guard lock(mutex);
      result = std::move(outcome);
    }
    changed.notify_all();
  }

  /// The caller's side: passes on what comes until there is a result.
  Result<Generation> Await(const TextSink& sink, const PrefillProgress& progress) {
    std::string shown;
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return !text.empty() || progressed || result; });
      const std::string piece = std::exchange(text, "");
      const bool moved = std::exchange(progressed, false);
      const size_t done = computed;
      const bool ended = result.has_value();
      lock.unlock();
      if (moved && progress && !enough) progress(done, prompt.size());
      if (!piece.empty() && !enough) {
        shown += piece;
        if (sink && !sink(piece)) enough = true;
      }
      lock.lock();
      if (!ended) continue;
      Result<Generation> outcome = *std::move(result);
      if (outcome && enough) {  // what was written after that is nobody's
        outcome->reason = StopReason::kCaller;
        outcome->text = std::move(shown);
      }
      return outcome;
    }
  }
};

struct Scheduler::Part {
  Ticket* ticket = nullptr;
  std::vector<BatchToken> rows;
  size_t wanted = 0;  // rows with logits: the last ones
  size_t first_logits = 0;
};

Result<Generation> Scheduler::Generate(std::span<const TokenId> prompt,
                                       const GenerateOptions& options, const TextSink& sink,
                                       const CancelToken* cancel, const PrefillProgress& progress) {
  const size_t context = engine_.context_length();
  VADE_CHECK_OK(CheckPromptLength(prompt.size(), context));
  const auto ticket = std::make_shared<Ticket>();
  ticket->prompt.assign(prompt.begin(), prompt.end());
  ticket->cancel = cancel;
  ticket->keep_prefix = options.keep_prefix;
  const size_t reply = options.max_tokens == 0 ? context : std::min(options.max_tokens, context);
  ticket->most_tokens = std::min(context, prompt.size() + reply);
  const auto write = [writing = ticket.get()](std::string_view text) {
    return writing->Write(text);
  };
  VADE_TRY(GenerationRun run,
           GenerationRun::Create({engine_.tokenizer(), tries_, engine_.vocab_size(), context},
                                 options, prompt, write, cancel));
  ticket->run.emplace(std::move(run));
  ticket->asked = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return vade::Fail(ErrorCode::kUnavailable, "the model is being unloaded");
    const size_t places = options_.max_parallel - std::min(options_.max_parallel, num_running_);
    if (queue_.size() >= options_.max_queue + places) {
      return vade::Fail(ErrorCode::kResource,
                        "queue full: " + std::to_string(queue_.size()) + " requests are waiting");
    }
    queue_.push_back(ticket);
  }
  wake_.notify_all();
  return ticket->Await(sink, progress);
}

SchedulerLoad Scheduler::load() const {
  const std::lock_guard lock(mutex_);
  return {num_running_, queue_.size()};
}

// --- The thread ----------------------------------------------------------------------------------

Scheduler::Scheduler(DecoderEngine& engine, const SchedulerOptions& options)
    : engine_(engine),
      options_(options),
      tries_(engine.tokenizer()),
      prefixes_(engine),
      thread_([this] { Loop(); }) {}

Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Scheduler::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stop_ || !queue_.empty() || !running_.empty(); });
    if (stop_) break;
    Admit();
    num_running_ = running_.size();
    lock.unlock();
    Step();
    lock.lock();
    num_running_ = running_.size();
  }
  const Error error{ErrorCode::kUnavailable, "the model is being unloaded"};
  for (const TicketPtr& ticket : queue_) ticket->Finish(tl::unexpected(error));
  for (const TicketPtr& ticket : running_) Fail(*ticket, error);
  queue_.clear();
  running_.clear();
}

void Scheduler::Admit() {
  std::erase_if(queue_, [](const TicketPtr& ticket) {
    if (!ticket->cancelled()) return false;
    ticket->run->Stop(StopReason::kCancelled);
    ticket->Finish(ticket->run->Finish());
    return true;
  });
  while (!queue_.empty() && running_.size() < options_.max_parallel) {
    Ticket& ticket = *queue_.front();
    if (!FindRoom(ticket)) return;  // who came later does not overtake
    ticket.begun = Clock::now();
    running_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
}

// Pages that running replies may still take. One more for each: its last page may be shared, and is
// copied then.
size_t Scheduler::ReservedPages() const {
  const size_t page = engine_.cache_pages().page_tokens;
  size_t pages = 0;
  for (const TicketPtr& ticket : running_) {
    pages += PagesFor(ticket->most_tokens, page) - PagesFor(ticket->tokens.size(), page) + 1;
  }
  return pages;
}

// Gives the ticket a sequence, which begins with what is known of its prompt. False: not yet.
bool Scheduler::FindRoom(Ticket& ticket) {
  const size_t page = engine_.cache_pages().page_tokens;
  const size_t reserved = ReservedPages();
  const auto left = [&] {
    const CachePages pages = engine_.cache_pages();
    return pages.total - std::min(pages.total, pages.used + reserved);
  };
  // The last token is always computed: its logits are wanted.
  const std::span<const TokenId> prompt = std::span(ticket.prompt).first(ticket.prompt.size() - 1);
  const Ticket* beside = nullptr;
  size_t common = 0;
  for (const TicketPtr& other : running_) {
    const size_t shared = CommonPrefix(other->tokens, prompt);
    if (shared > common) {
      common = shared;
      beside = other.get();
    }
  }
  const PrefixCache::Kept* kept = prefixes_.Find(prompt);
  const size_t kept_common = kept == nullptr ? 0 : CommonPrefix(kept->tokens, prompt);
  if (kept_common >= common && kept != nullptr) {
    common = kept_common;
    beside = nullptr;
  } else {
    kept = nullptr;
  }
  const size_t needed = PagesFor(ticket.most_tokens, page) - common / page + 1;
  while (left() < needed && prefixes_.DropOldest(kept)) {
  }
  const bool fits = left() >= needed;
  if (!fits && kept != nullptr) {
    // Its own pages are the last that can be had.
    PrefixCache::Kept taken = prefixes_.Take(*kept);
    engine_.Truncate(taken.sequence, common);
    taken.tokens.resize(common);
    const size_t more = PagesFor(ticket.most_tokens, page) - PagesFor(common, page) + 1;
    if (left() < more && !running_.empty()) {
      prefixes_.Keep(std::move(taken));
      return false;
    }
    ticket.sequence = taken.sequence;
    ticket.tokens = std::move(taken.tokens);
  } else if (!fits && !running_.empty()) {
    return false;
  } else if (kept != nullptr && kept->tokens.size() == common) {
    PrefixCache::Kept taken = prefixes_.Take(*kept);
    ticket.sequence = taken.sequence;
    ticket.tokens = std::move(taken.tokens);
  } else if (kept != nullptr) {
    prefixes_.Touch(*kept);
    ticket.sequence = engine_.Fork(kept->sequence, common);
  } else if (beside != nullptr) {
    ticket.sequence = engine_.Fork(beside->sequence, common);
  } else {
    ticket.sequence = engine_.NewSequence();
  }
  ticket.tokens.assign(prompt.begin(), prompt.begin() + static_cast<ptrdiff_t>(common));
  ticket.reused = common;
  return true;
}

// --- A step --------------------------------------------------------------------------------------

void Scheduler::Step() {
  DropStopped();
  std::vector<Part> parts = Plan();
  if (!parts.empty()) Run(parts);
  RemoveFinished();
}

void Scheduler::DropStopped() {
  for (const TicketPtr& ticket : running_) {
    if (!ticket->cancelled() && !ticket->enough) continue;
    ticket->run->Stop(ticket->enough ? StopReason::kCaller : StopReason::kCancelled);
    Retire(*ticket);
  }
  RemoveFinished();
}

std::vector<Scheduler::Part> Scheduler::Plan() {
  std::vector<Part> parts;
  const auto num_decoding = static_cast<size_t>(std::ranges::count_if(
      running_, [](const TicketPtr& ticket) { return !ticket->prefilling(); }));
  PlanDecoding(parts, num_decoding);
  PlanPrefill(parts, num_decoding == 0);
  return parts;
}

void Scheduler::PlanDecoding(std::vector<Part>& parts, size_t num_decoding) {
  for (const TicketPtr& ticket : running_) {
    if (ticket->prefilling()) continue;
    const size_t length = ticket->tokens.size();
    const size_t room = std::min(engine_.Room(ticket->sequence), ticket->most_tokens - length);
    // Beside many others a guess costs as much as a row of theirs.
    const size_t share = num_decoding == 1 ? SIZE_MAX : kDraftRows / num_decoding - 1;
    const bool guess = num_decoding <= kDraftRows / 2 && room > 0;
    const auto rows = ticket->run->NextRows(guess ? std::min(room - 1, share) : 0);
    Part& part = parts.emplace_back();
    part.ticket = ticket.get();
    for (const TokenId id : rows) part.rows.push_back({ticket->sequence, id, true});
    part.wanted = part.rows.size();
  }
}

void Scheduler::PlanPrefill(std::vector<Part>& parts, bool alone) {
  size_t budget = kAlonePrefillRows;
  if (!alone) {
    const double rows = kPrefillShareMs / std::max(prefill_ms_per_row_, 1e-6);
    budget = prefill_ms_per_row_ == 0
                 ? kFirstPrefillRows
                 : static_cast<size_t>(
                       std::clamp(rows, double{kLeastPrefillRows}, double{kAlonePrefillRows}));
  }
  for (const TicketPtr& ticket : running_) {
    if (!ticket->prefilling() || budget == 0) continue;
    const size_t from = ticket->tokens.size();
    const size_t count = std::min(budget, ticket->prompt.size() - from);
    budget -= count;
    Part& part = parts.emplace_back();
    part.ticket = ticket.get();
    for (size_t i = from; i < from + count; ++i) {
      part.rows.push_back({ticket->sequence, ticket->prompt[i], false});
    }
    if (from + count == ticket->prompt.size()) {
      part.rows.back().wants_logits = true;
      part.wanted = 1;
    }
  }
}

void Scheduler::Run(std::span<Part> parts) {
  std::vector<BatchToken> batch;
  size_t wanted = 0;
  for (Part& part : parts) {
    part.first_logits = wanted;
    wanted += part.wanted;
    batch.insert(batch.end(), part.rows.begin(), part.rows.end());
  }
  const auto started = Clock::now();
  const auto logits =
      engine_.Forward(batch, parts.size() == 1 ? parts.front().ticket->cancel : nullptr);
  if (logits) {
    LearnPrefillSpeed(parts, started);
    Deliver(parts, *logits);
  } else if (parts.size() > 1) {
    // Nothing has changed: one by one, so that only who is to blame fails.
    for (Part& part : parts) Run(std::span(&part, 1));
  } else if (logits.error().code == ErrorCode::kCancelled) {
    parts.front().ticket->run->Stop(StopReason::kCancelled);
    Retire(*parts.front().ticket);
  } else {
    Fail(*parts.front().ticket, logits.error());
  }
}

void Scheduler::LearnPrefillSpeed(std::span<const Part> parts, Clock::time_point started) {
  size_t rows = 0;
  for (const Part& part : parts) rows += part.rows.size();
  if (rows < kLeastPrefillRows) return;
  const double ms = Milliseconds(Clock::now() - started) / static_cast<double>(rows);
  prefill_ms_per_row_ = prefill_ms_per_row_ == 0 ? ms : 0.7 * prefill_ms_per_row_ + 0.3 * ms;
}

void Scheduler::Deliver(std::span<Part> parts, std::span<const float> logits) {
  const size_t vocab = engine_.vocab_size();
  std::vector<Part*> writing;
  for (Part& part : parts) {
    Ticket& ticket = *part.ticket;
    const bool was_prefilling = ticket.prefilling();
    for (const BatchToken& row : part.rows) ticket.tokens.push_back(row.token);
    if (was_prefilling) ticket.Progress();
    if (part.wanted == 0) continue;
    if (was_prefilling) ticket.prefilled = Clock::now();
    writing.push_back(&part);
  }
  std::vector<Result<size_t>> kept(writing.size(), size_t{0});
  engine_.ForEach(writing.size(), [&](size_t i) {
    const Part& part = *writing[i];
    kept[i] =
        part.ticket->run->Take(logits.subspan(part.first_logits * vocab, part.wanted * vocab));
  });
  for (size_t i = 0; i < writing.size(); ++i) {
    Ticket& ticket = *writing[i]->ticket;
    if (!kept[i]) {
      Fail(ticket, kept[i].error());
      continue;
    }
    ticket.tokens.resize(ticket.tokens.size() - (writing[i]->wanted - *kept[i]));
    engine_.Truncate(ticket.sequence, ticket.tokens.size());
    if (ticket.run->done()) Retire(ticket);
  }
}

void Scheduler::Retire(Ticket& ticket) {
  if (ticket.finished) return;
  const auto now = Clock::now();
  const bool decoded = !ticket.prefilling();
  Generation generation = ticket.run->Finish();
  generation.reused_tokens = ticket.reused;
  generation.queue_ms = Milliseconds(ticket.begun - ticket.asked);
  generation.prefill_ms = Milliseconds((decoded ? ticket.prefilled : now) - ticket.begun);
  generation.decode_ms = decoded ? Milliseconds(now - ticket.prefilled) : 0;
  if (ticket.tokens.empty() || !ticket.keep_prefix) {
    engine_.Remove(ticket.sequence);
  } else {
    prefixes_.Keep({ticket.sequence, std::move(ticket.tokens)});
  }
  ticket.Finish(std::move(generation));
}

void Scheduler::Fail(Ticket& ticket, const Error& error) {
  engine_.Remove(ticket.sequence);
  ticket.Finish(tl::unexpected(error));
}

void Scheduler::RemoveFinished() {
  std::erase_if(running_, [](const TicketPtr& ticket) { return ticket->finished; });
}

}  // namespace vade::engine
