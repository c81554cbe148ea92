// A reply being written: which tokens it wants computed next, and what it makes of their logits.
// One of many that a scheduler drives side by side, or the only one of a Session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/call_trigger.h"
#include "engine/runtime/grammar.h"
#include "engine/runtime/grammar_matcher.h"
#include "engine/runtime/prompt_lookup.h"
#include "engine/runtime/sampler.h"
#include "engine/runtime/sampling_options.h"
#include "engine/runtime/stop_strings.h"
#include "engine/token_tries.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {

struct GenerateOptions {
  runtime::SamplingOptions sampling;
  size_t max_tokens = 0;                    // 0: until the model ends or the context is full
  std::vector<std::string> stop;            // end the text before any of these
  std::optional<runtime::Grammar> grammar;  // only texts of this grammar
  std::optional<CallTrigger> calls;         // where the text turns into tool calls
  size_t draft_tokens = 8;                  // most tokens guessed from the context; 0: none
  bool keep_prefix = true;                  // for prompts to come (Scheduler)
  bool ignore_end = false;                  // go on after the model has ended (measuring)
};

enum class StopReason : uint8_t {
  kEnd,          // the model ended its text, or the grammar cannot go on
  kStopString,   // one of GenerateOptions::stop
  kMaxTokens,    // GenerateOptions::max_tokens
  kContextFull,  // no room for another token
  kCaller,       // the sink returned false
  kCancelled,
};

/// The names of the APIs: "stop" or "length", or what happened otherwise.
[[nodiscard]] std::string_view StopReasonName(StopReason reason) noexcept;

struct Generation {
  std::string text;   // without the stop string and without calls
  std::string calls;  // from the trigger on
  std::vector<runtime::Sampled> tokens;
  StopReason reason = StopReason::kEnd;
  std::string stop_string;  // with kStopString
  uint64_t seed = 0;
  size_t prompt_tokens = 0;
  size_t reused_tokens = 0;  // of the prompt, known from before
  size_t drafted_tokens = 0;
  size_t accepted_tokens = 0;  // drafts that the model would have written too
  double queue_ms = 0;         // waiting for a place among others
  double prefill_ms = 0;
  double decode_ms = 0;
};

/// Showable text as it comes; false stops. May be called with nothing new: not at all.
using TextSink = std::function<bool(std::string_view)>;
/// Prompt tokens computed so far, and all of them.
using PrefillProgress = std::function<void(size_t done, size_t total)>;

/// Errors: kInvalidArgument for an empty prompt and one that leaves no room in the context.
[[nodiscard]] Result<void> CheckPromptLength(size_t prompt_tokens, size_t context_length);

/// Single-thread. What it is made of must outlive it. What it writes depends on its own logits
/// only, not on what runs beside it.
class GenerationRun {
 public:
  struct Parts {
    const tokenizer::Tokenizer& tokenizer;
    TokenTries& tries;
    size_t vocab_size = 0;
    size_t context_length = 0;
  };

  /// Errors: kInvalidArgument for options out of range; those of a grammar.
  [[nodiscard]] static Result<GenerationRun> Create(const Parts& parts,
                                                    const GenerateOptions& options,
                                                    std::span<const tokenizer::TokenId> prompt,
                                                    TextSink sink, const CancelToken* cancel);

  /// What to compute next: the last token, and at most `longest_draft` that are guessed to follow
  /// it. Valid until the next call. REQUIRES !done() and a first Take.
  [[nodiscard]] std::span<const tokenizer::TokenId> NextRows(size_t longest_draft);

  /// Takes the logits of those rows, at first of the prompt's last token: [rows, vocab_size].
  /// Returns how many of the rows stay part of the sequence; the others were wrong guesses.
  /// Errors: those of sampling and of grammars.
  [[nodiscard]] Result<size_t> Take(std::span<const float> logits);

  void Stop(StopReason reason) {
    out_.reason = reason;
    done_ = true;
  }
  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] size_t num_tokens() const noexcept { return out_.tokens.size(); }

  /// Emits what was held back, if the reply ended by itself. REQUIRES done(). Once.
  [[nodiscard]] Generation Finish();

 private:
  // How much to guess: twice as much after a guess that held, little after one that did not, since
  // each wrong row costs time once more rows than a few are computed.
  class DraftLength {
   public:
    explicit DraftLength(size_t most);
    [[nodiscard]] size_t next() const noexcept { return next_; }
    void Learn(size_t drafted, size_t accepted) noexcept;

   private:
    size_t most_;
    size_t next_;
  };

  GenerationRun(const Parts& parts, const GenerateOptions& options, TextSink sink,
                const CancelToken* cancel, runtime::Sampler sampler, runtime::StopStrings stops,
                runtime::PromptLookup lookup);

  [[nodiscard]] Result<void> Next(std::span<const float> logits);
  [[nodiscard]] Result<void> Read(tokenizer::TokenId id);
  void Show(const std::string& piece);
  [[nodiscard]] Result<void> BeginCalls();
  [[nodiscard]] bool MustEnd() const;
  [[nodiscard]] bool Emit(const std::string& text);

  Parts parts_;
  size_t max_tokens_;
  bool ignore_end_;
  TextSink sink_;
  const CancelToken* cancel_;
  runtime::Sampler sampler_;
  runtime::StopStrings stops_;
  runtime::PromptLookup lookup_;
  std::optional<runtime::GrammarMatcher> matcher_;
  std::optional<TriggerScan> scan_;  // until the trigger comes or no longer can
  std::optional<runtime::Grammar> calls_grammar_;
  bool in_calls_ = false;
  DraftLength draft_length_;
  std::vector<tokenizer::TokenId> rows_;  // the last token, and the draft
  bool done_ = false;
  Generation out_;
};

}  // namespace vade::engine
