// A small explanation for tests, made by hand.
#pragma once

#include <string>

#include "qa/explain/explanation.h"

namespace vade::testing {

/// `texts` as tokens; head h of layer l looks only at itself, except head `telling` of the last
/// layer, whose rows are even.
inline qa::Explanation MakeExplanation(const std::vector<std::string>& texts, size_t num_layers = 2,
                                       size_t num_heads = 3, size_t telling = 1) {
  qa::Explanation e;
  e.model = "tiny";
  e.architecture = "llama";
  e.vocab_size = 50;
  engine::DecoderTrace& trace = e.trace;
  const size_t n = texts.size();
  trace.num_tokens = n;
  trace.num_layers = num_layers;
  trace.num_heads = num_heads;
  trace.num_kv_heads = 1;
  trace.head_dim = 4;
  trace.d_model = 4;
  trace.layers.resize(num_layers);
  trace.rope.config.dims = 4;
  trace.rope.config.base = 100;
  trace.rope.per_position = {1.0, 0.05};  // the second pair at half its speed
  for (size_t i = 0; i < n; ++i) {
    e.tokens.push_back({static_cast<engine::TokenId>(i + 3), texts[i], false});
    for (const float x : {3.0f, -4.0f, 0.0f, 0.0f}) trace.embeddings.push_back(x);
  }
  for (size_t layer = 0; layer < num_layers; ++layer) {
    for (size_t head = 0; head < num_heads; ++head) {
      const bool even = layer + 1 == num_layers && head == telling;
      for (size_t token = 0; token < n; ++token) {
        for (size_t other = 0; other <= token; ++other) {
          const float share = 1.0f / static_cast<float>(token + 1);
          trace.attention.push_back(even ? share : (other == token ? 1.0f : 0.0f));
        }
      }
    }
  }
  qa::ExplainedStep step;
  step.candidates.push_back({{7, "</b>", false}, 2.0f, 0.7, 0.9});
  step.candidates.push_back({{8, "\xed\x95", false}, 1.0f, 0.2, {}});
  step.num_kept = 2;
  e.steps.push_back(step);
  e.generated = "</b>";
  return e;
}

}  // namespace vade::testing
