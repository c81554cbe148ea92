// The hyper-parameters of an encoder, read from GGUF metadata and checked.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/model/encoder_facts.h"
#include "engine/model/pooling.h"

namespace vade::model {

/// Cosines and sines turn pairs of a head's first `dims` values.
struct EncoderRope {
  size_t dims = 0;           // 0: not rotated
  float base = 0;            // of the angles' geometric series
  float position_scale = 1;  // linear scaling: positions are multiplied by this
};

/// Every count is at least 1 and small enough that products of three do not overflow.
struct EncoderConfig {
  const EncoderFacts* facts = nullptr;
  FfnGate gate = FfnGate::kNone;  // never kAsStored
  Activation activation = Activation::kGeluErf;
  Pooling pooling = Pooling::kNone;
  size_t num_layers = 0;
  size_t d_model = 0;
  size_t d_ff = 0;
  size_t num_heads = 0;
  size_t num_kv_heads = 0;
  size_t head_dim = 0;
  size_t ctx_len = 0;
  size_t max_text_tokens = 0;  // what it was trained for: up to ctx_len, special ones included
  float norm_eps = 0;
  EncoderRope rope;
  EncoderRope local_rope;      // of the layers that see only tokens near by
  size_t reach = 0;            // how far those see, before and after
  std::vector<bool> is_local;  // [num_layers]; empty: no such layers
  float alibi_bias = 0;        // steepest slope is 2^(-alibi_bias / number of heads); 0: no slopes

  [[nodiscard]] bool gated() const noexcept { return gate != FfnGate::kNone; }
  [[nodiscard]] bool IsLocal(size_t layer_idx) const noexcept {
    return !is_local.empty() && is_local[layer_idx];
  }
  [[nodiscard]] size_t kv_dim() const noexcept { return num_kv_heads * head_dim; }
  /// Width of query, key and value side by side.
  [[nodiscard]] size_t qkv_dim() const noexcept { return d_model + 2 * kv_dim(); }
};

/// Errors: kUnsupported for another architecture; kCorruptData naming the key, what it holds and
/// what is allowed.
[[nodiscard]] Result<EncoderConfig> ReadEncoderConfig(const gguf::File& file);

}  // namespace vade::model
