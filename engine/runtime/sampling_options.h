// How the next token is chosen: the parameters of Ollama, llama.cpp and the OpenAI API by their
// names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/result.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::runtime {

struct LogitBias {
  tokenizer::TokenId id = 0;
  float bias = 0;  // added to the logit; -infinity: never
};

/// Defaults are Ollama's. The steps run in the order of llama.cpp's default chain: logit_bias,
/// penalties, grammar, top_k, typical_p, top_p, min_p, temperature, draw. The probabilities that
/// typical_p, top_p and min_p look at are therefore those before temperature.
struct SamplingOptions {
  float temperature = 0.8f;  // 0 takes the best token; [0, 100]
  int32_t top_k = 40;        // keep the k best; 0 keeps all (and costs a pass of exp over them)
  float top_p = 0.9f;        // keep the best until their probabilities sum to this; 1 is off
  float min_p = 0.0f;        // drop what is less probable than min_p * the best; 0 is off
  float typical_p = 1.0f;    // keep those of most typical surprise up to this sum; 1 is off

  int32_t repeat_last_n = 64;      // how far back the penalties look; 0 off, -1 everything accepted
  float repeat_penalty = 1.0f;     // divides the logits of seen tokens (multiplies negative ones)
  float presence_penalty = 0.0f;   // subtracted once from the logit of a seen token
  float frequency_penalty = 0.0f;  // subtracted per occurrence

  std::optional<uint64_t> seed;  // none: drawn from the system, and told by Sampler::seed()
  std::vector<LogitBias> logit_bias;

  bool logprobs = false;     // report log probabilities (one more pass over the vocabulary)
  int32_t top_logprobs = 0;  // and those of this many best tokens; [0, 20]
};

/// Errors: kInvalidArgument naming the option, what it got and what it wants.
[[nodiscard]] Result<void> Validate(const SamplingOptions& options, size_t vocab_size);

}  // namespace vade::runtime
