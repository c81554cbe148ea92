// Draft, compute, sample, emit: one reply at a time.
#include "engine/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vade::engine {
namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

Session::Session(DecoderEngine& engine)
    : engine_(engine), tries_(engine.tokenizer()), sequence_(engine.NewSequence()) {}

Session::~Session() { engine_.Remove(sequence_); }

void Session::Forget(size_t num_tokens) {
  tokens_.resize(tokens_.size() - num_tokens);
  engine_.Truncate(sequence_, tokens_.size());
}

Result<std::span<const float>> Session::Prefill(std::span<const TokenId> prompt,
                                                const CancelToken* cancel,
                                                const PrefillProgress& progress) {
  constexpr size_t kStep = 512;  // tokens between two reports
  VADE_CHECK_OK(CheckPromptLength(prompt.size(), engine_.context_length()));
  const auto differ = std::mismatch(tokens_.begin(), tokens_.end(), prompt.begin(), prompt.end());
  // The last token is always computed: its logits are wanted.
  reused_ = std::min(static_cast<size_t>(differ.first - tokens_.begin()), prompt.size() - 1);
  Forget(tokens_.size() - reused_);
  std::span<const float> logits;
  while (tokens_.size() < prompt.size()) {
    const size_t count = std::min(kStep, prompt.size() - tokens_.size());
    std::vector<BatchToken> batch;
    for (const TokenId id : prompt.subspan(tokens_.size(), count)) {
      batch.push_back({sequence_, id, false});
    }
    batch.back().wants_logits = tokens_.size() + count == prompt.size();
    VADE_TRY(logits, engine_.Forward(batch, cancel));
    for (const BatchToken& token : batch) tokens_.push_back(token.token);
    if (progress) progress(tokens_.size(), prompt.size());
  }
  return logits;
}

Result<std::span<const float>> Session::Compute(std::span<const TokenId> rows,
                                                const CancelToken* cancel) {
  std::vector<BatchToken> batch;
  for (const TokenId id : rows) batch.push_back({sequence_, id, true});
  VADE_TRY(const std::span<const float> logits, engine_.Forward(batch, cancel));
  tokens_.insert(tokens_.end(), rows.begin(), rows.end());
  return logits;
}

Result<Generation> Session::Generate(std::span<const TokenId> prompt,
                                     const GenerateOptions& options, const TextSink& sink,
                                     const CancelToken* cancel, const PrefillProgress& progress) {
  VADE_TRY(GenerationRun run,
           GenerationRun::Create(
               {engine_.tokenizer(), tries_, engine_.vocab_size(), engine_.context_length()},
               options, prompt, sink, cancel));
  auto started = Clock::now();
  auto logits = Prefill(prompt, cancel, progress);
  const double prefill_ms = MillisecondsSince(started);
  started = Clock::now();
  for (size_t num_rows = 1; !run.done();) {
    if (!logits) {
      if (logits.error().code != ErrorCode::kCancelled) return tl::unexpected(logits.error());
      run.Stop(StopReason::kCancelled);
      break;
    }
    VADE_TRY(const size_t kept, run.Take(*logits));
    Forget(num_rows - kept);
    if (run.done()) break;
    const size_t room = engine_.Room(sequence_);
    const auto rows = run.NextRows(room > 0 ? room - 1 : 0);
    num_rows = rows.size();
    logits = Compute(rows, cancel);
  }
  Generation generation = run.Finish();
  generation.reused_tokens = reused_;
  generation.prefill_ms = prefill_ms;
  generation.decode_ms = MillisecondsSince(started);
  return generation;
}

}  // namespace vade::engine
