// The hyper-parameters of a decoder, read from GGUF metadata and checked.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/model/architecture.h"

namespace vade::model {

/// How angles become longer than training had them.
struct RopeScaling {
  float position_scale = 1;  // linear: positions are multiplied by this
  bool yarn = false;         // scale only the slow dimensions; position_scale is their factor
  float beta_fast = 32;      // turns within original_ctx_len above which a dimension stays as it is
  float beta_slow = 1;       // and below which it is scaled fully
  size_t original_ctx_len = 0;
  float attention_factor = 1;  // multiplies cosines and sines
};

struct RopeConfig {
  RopeStyle style = RopeStyle::kNone;
  size_t dims = 0;  // leading values of a head that are rotated
  float base = 0;   // of the angles' geometric series
  RopeScaling scaling;
};

/// What only some layers share.
struct LayerConfig {
  size_t window = 0;  // tokens seen, itself included; 0: all
  bool rotates = true;
};

/// Every count is at least 1 and small enough that products of three do not overflow.
struct DecoderConfig {
  const DecoderFacts* facts = nullptr;
  size_t num_layers = 0;
  size_t d_model = 0;
  size_t d_ff = 0;  // of a layer without experts
  size_t num_heads = 0;
  size_t num_kv_heads = 0;
  size_t head_dim = 0;
  size_t trained_ctx_len = 0;
  float norm_eps = 0;

  RopeConfig rope;
  RopeConfig local_rope;  // of layers with a window
  std::vector<LayerConfig> layers;

  float embedding_scale = 1;
  float residual_scale = 1;  // of what a branch gives
  float query_scale = 1;     // of the scores
  float logit_scale = 1;
  float score_cap = 0;  // cap * tanh(score / cap); 0: none
  float logit_cap = 0;

  size_t num_experts = 0;  // 0: a dense model
  size_t num_used_experts = 0;
  size_t d_expert = 0;
  size_t d_shared = 0;  // 0: no shared expert
  float expert_scale = 1;

  [[nodiscard]] size_t q_dim() const noexcept { return num_heads * head_dim; }
  [[nodiscard]] size_t kv_dim() const noexcept { return num_kv_heads * head_dim; }
  /// Width of query, key and value side by side.
  [[nodiscard]] size_t qkv_dim() const noexcept { return q_dim() + 2 * kv_dim(); }
};

/// Errors: kUnsupported for another architecture, naming the supported ones; kCorruptData naming
/// the key, what it holds and what is allowed.
[[nodiscard]] Result<DecoderConfig> ReadDecoderConfig(const gguf::File& file);

}  // namespace vade::model
