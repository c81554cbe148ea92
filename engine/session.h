// Session: text from a language model, token by token. One sequence that remembers what it has
// computed, so that prompts with an equal beginning are not computed twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/decoder_engine.h"
#include "engine/runtime/grammar.h"
#include "engine/runtime/sampler.h"
#include "engine/runtime/sampling_options.h"
#include "engine/runtime/token_trie.h"

namespace vade::engine {

struct GenerateOptions {
  runtime::SamplingOptions sampling;
  size_t max_tokens = 0;                    // 0: until the model ends or the context is full
  std::vector<std::string> stop;            // end the text before any of these
  std::optional<runtime::Grammar> grammar;  // only texts of this grammar
  size_t draft_tokens = 8;                  // most tokens guessed from the context; 0: none
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
  std::string text;  // without the stop string
  std::vector<runtime::Sampled> tokens;
  StopReason reason = StopReason::kEnd;
  std::string stop_string;  // with kStopString
  uint64_t seed = 0;
  size_t prompt_tokens = 0;
  size_t reused_tokens = 0;  // of the prompt, known from before
  size_t drafted_tokens = 0;
  size_t accepted_tokens = 0;  // drafts that the model would have written too
  double prefill_ms = 0;
  double decode_ms = 0;
};

/// Showable text as it comes; false stops. May be called with nothing new: not at all.
using TextSink = std::function<bool(std::string_view)>;
/// Prompt tokens computed so far, and all of them.
using PrefillProgress = std::function<void(size_t done, size_t total)>;

/// Single-thread. The engine must outlive it and serve one call at a time.
class Session {
 public:
  explicit Session(DecoderEngine& engine);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Continues the prompt. A cancelled run gives what it had.
  /// Errors: kInvalidArgument for an empty prompt, options out of range, and a prompt that leaves
  /// no room in the context (with both numbers): nothing is cut off silently; kUnsupported if the
  /// vocabulary cannot write what the grammar wants; what Forward and Sample give.
  [[nodiscard]] Result<Generation> Generate(std::span<const TokenId> prompt,
                                            const GenerateOptions& options, const TextSink& sink,
                                            const CancelToken* cancel = nullptr,
                                            const PrefillProgress& progress = {});

  /// Logits [vocab_size] after the last token of the prompt; the same errors.
  [[nodiscard]] Result<std::span<const float>> Prefill(std::span<const TokenId> prompt,
                                                       const CancelToken* cancel = nullptr,
                                                       const PrefillProgress& progress = {});

 private:
  friend class GenerationLoop;
  [[nodiscard]] const runtime::TokenTrie& Trie();

  DecoderEngine& engine_;
  SequenceId sequence_;
  std::vector<TokenId> tokens_;                     // what the sequence holds
  size_t reused_ = 0;                               // by the last Prefill
  std::unique_ptr<const runtime::TokenTrie> trie_;  // made for the first grammar
};

}  // namespace vade::engine
