// What tells one architecture of the decoder family from another: one row of facts each. The
// forward pass (decoder.cc) reads nothing else about a model's kind.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vade::model {

enum class NormKind {
  kRms,
  kLayer,  // mean removed; a bias if the file has one
};

/// Where a layer normalises. "Branch" is attention or feed-forward.
enum class NormPlace {
  kPre,       // what a branch reads
  kPost,      // what a branch gives, before it is added
  kSandwich,  // both
};

/// How values of a head are paired for rotation.
enum class RopeStyle {
  kNone,
  kAdjacent,  // 2i with 2i + 1
  kHalves,    // i with i + dims / 2
};

enum class FfnKind {
  kSiluGated,  // silu(gate) * up
  kGeluGated,  // gelu(gate) * up, the tanh form
  kGelu,       // gelu(up), the tanh form
};

/// Normalisation of queries and keys before they are rotated.
enum class QkNorm {
  kNone,
  kHead,      // each head by itself, one weight vector for all
  kEachHead,  // each head by itself with its own weights; only if the file has them
  kWhole,     // all heads together
};

/// The RoPE of layers with a sliding window.
enum class LocalRope {
  kSame,      // as the others; <arch>.rope.freq_base_swa may change the base
  kUnscaled,  // without the scaling of the others
  kOwnBase,   // unscaled, and base 10000 unless the file says otherwise
};

/// What <arch>.logit_scale does to the logits.
enum class LogitScale { kNone, kMultiplies, kDivides };

struct DecoderFacts {
  std::string_view name;  // general.architecture
  NormKind norm = NormKind::kRms;
  NormPlace place = NormPlace::kPre;
  RopeStyle rope = RopeStyle::kHalves;
  FfnKind ffn = FfnKind::kSiluGated;
  QkNorm qk_norm = QkNorm::kNone;

  // Tensors that must be there. A bias that is there although not required is added as well.
  bool norm_bias = false;
  bool qkv_bias = false;
  bool attention_bias = false;  // of the attention's output
  bool ffn_bias = false;
  bool output_bias = false;          // of the logits
  bool position_embeddings = false;  // learnt, added to the input

  /// Attention and feed-forward read the same normalised input: there is no ffn_norm. A layer of
  /// the "optional" ones does so when the file has none.
  bool parallel = false;
  bool optional_ffn_norm = false;
  bool fused_gate_up = false;  // ffn_up holds the gate's rows, then its own

  bool scale_embedding = false;  // input times sqrt(d_model)
  bool multipliers = false;      // <arch>.embedding_scale, residual_scale, attention.scale are read
  LogitScale logit_scale = LogitScale::kNone;

  /// Every layer but each window_pattern-th sees only the last tokens. 0: the file's
  /// sliding_window key is not used (llama.cpp does not use it for these either).
  size_t window_pattern = 0;
  size_t default_window = 0;  // without the key; 0: none
  LocalRope local_rope = LocalRope::kSame;
  size_t no_rope_step = 0;  // each such layer is not rotated

  /// A model with this many layers scales queries by the width of d_model / num_heads instead of
  /// head_dim (Gemma's 27B models).
  size_t wide_query_layers = 0;

  /// A reranker reads the last token and gives probabilities; else the first, and scores as they
  /// are.
  bool ranks_by_last = false;

  // Mixture of experts; a model without experts ignores these.
  bool needs_experts = false;
  bool renormalise_experts = true;  // weights of the chosen experts sum to one
  bool shared_expert = false;       // one more expert for every token, weighed by a sigmoid
};

/// nullptr if it is not a decoder we know.
[[nodiscard]] const DecoderFacts* FindDecoder(std::string_view architecture) noexcept;

[[nodiscard]] std::span<const DecoderFacts> Decoders() noexcept;

/// "llama, qwen2, ...": for messages.
[[nodiscard]] std::string DecoderNames();

}  // namespace vade::model
