// Explanation: the six steps from a text to the words a language model adds to it, as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/decoder_engine.h"
#include "engine/runtime/sampling_options.h"

namespace vade::qa {

struct ExplainOptions {
  runtime::SamplingOptions sampling;
  size_t num_tokens = 8;       // of the loop, at least 1
  size_t num_candidates = 10;  // shown for each
};

struct ExplainedToken {
  engine::TokenId id = 0;
  std::string text;  // bytes of any kind: show them escaped
  bool control = false;
};

/// A token that could come next.
struct ExplainedCandidate {
  ExplainedToken token;
  float logit = 0;
  double probability = 0;      // the model's own
  std::optional<double> kept;  // what the sampler's settings made of it; none: cut off
};

/// One turn of the loop.
struct ExplainedStep {
  std::vector<ExplainedCandidate> candidates;  // best first; the chosen one is among them
  size_t chosen = 0;                           // its index
  size_t num_kept = 0;                         // tokens the settings left to draw from
};

struct Explanation {
  std::string model;
  std::string architecture;
  std::vector<ExplainedToken> tokens;
  engine::DecoderTrace trace;
  std::vector<ExplainedStep> steps;  // the first from the trace's logits
  std::string generated;             // without control tokens
  bool ended = false;                // the model ended its text
  runtime::SamplingOptions sampling;
  uint64_t seed = 0;
  size_t vocab_size = 0;
};

/// Runs the prompt once under watch, then the loop.
/// Errors: those of Trace, of the sampler and of Session.
[[nodiscard]] Result<Explanation> Explain(engine::DecoderEngine& engine,
                                          std::span<const engine::TokenId> prompt,
                                          const ExplainOptions& options,
                                          const CancelToken* cancel = nullptr);

}  // namespace vade::qa
