// Session: text from a language model, token by token. One sequence that remembers what it has
// computed, so that prompts with an equal beginning are not computed twice.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/decoder_engine.h"
#include "engine/generation.h"
#include "engine/token_tries.h"

namespace vade::engine {

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
  [[nodiscard]] Result<std::span<const float>> Compute(std::span<const TokenId> rows,
                                                       const CancelToken* cancel);
  void Forget(size_t num_tokens);

  DecoderEngine& engine_;
  TokenTries tries_;
  SequenceId sequence_;
  std::vector<TokenId> tokens_;  // what the sequence holds
  size_t reused_ = 0;            // by the last Prefill
};

}  // namespace vade::engine
