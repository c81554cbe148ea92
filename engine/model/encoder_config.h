// The hyper-parameters of an encoder, read from GGUF metadata and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "engine/gguf/file.h"

namespace vade::model {

/// Values of the key <arch>.pooling_type.
enum class Pooling : uint32_t {
  kNone = 0,  // every token's vector
  kMean = 1,
  kCls = 2,   // the first token
  kLast = 3,  // the last token
  kRank = 4,  // the first token through a classifier head: relevance scores
};

[[nodiscard]] std::string_view PoolingName(Pooling pooling) noexcept;

enum class Activation {
  kGeluErf,   // the exact GELU, what the original BERT models use
  kGeluTanh,  // its tanh approximation
  kSwiGlu,    // silu(gate) * up
};

/// What tells one architecture of the encoder family from another. All of them are post-norm:
/// x = norm(x + attention(x)); x = norm(x + ffn(x)).
struct ArchitectureFacts {
  std::string_view name;     // general.architecture
  bool position_embeddings;  // learnt, added to the input
  bool rope;                 // rotary, NeoX halves, inside the attention
  bool gated;                // ffn has a gate matrix
  Activation activation;     // unless <arch>.hidden_activation says otherwise
};

/// nullptr if it is not an encoder we know.
[[nodiscard]] const ArchitectureFacts* FindEncoder(std::string_view architecture) noexcept;

/// Every count is at least 1 and small enough that products of three do not overflow.
struct EncoderConfig {
  const ArchitectureFacts* facts = nullptr;
  Activation activation = Activation::kGeluErf;
  Pooling pooling = Pooling::kNone;
  size_t num_layers = 0;
  size_t d_model = 0;
  size_t d_ff = 0;
  size_t num_heads = 0;
  size_t num_kv_heads = 0;
  size_t head_dim = 0;
  size_t ctx_len = 0;
  size_t max_text_tokens =
      0;  // what the model was trained for: up to ctx_len, special ones included
  float norm_eps = 0;
  size_t rope_dims = 0;           // leading values of a head that are rotated
  float rope_base = 0;            // of the angles' geometric series
  float rope_position_scale = 1;  // linear scaling: positions are multiplied by this

  [[nodiscard]] size_t kv_dim() const noexcept { return num_kv_heads * head_dim; }
  /// Width of query, key and value side by side.
  [[nodiscard]] size_t qkv_dim() const noexcept { return d_model + 2 * kv_dim(); }
};

/// Errors: kUnsupported for another architecture; kCorruptData naming the key, what it holds and
/// what is allowed.
[[nodiscard]] Result<EncoderConfig> ReadEncoderConfig(const gguf::File& file);

}  // namespace vade::model
