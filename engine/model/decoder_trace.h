// DecoderTrace: what a decoder computes on the way over a short text, kept for someone to look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/model/decoder_config.h"
#include "engine/model/pass_observer.h"

namespace vade::model {

/// Longest text that is traced, and the most its attention may take.
inline constexpr size_t kMaxTracedTokens = 256;
inline constexpr uint64_t kMaxTraceBytes = uint64_t{256} << 20;

/// How positions enter one kind of layers.
struct RopeTrace {
  RopeConfig config;
  std::vector<double> per_position;  // [dims / 2] radians that each pair turns per position
};

/// Plain values, all of one text of num_tokens tokens.
struct DecoderTrace {
  size_t num_tokens = 0;
  size_t num_layers = 0;
  size_t num_heads = 0;
  size_t num_kv_heads = 0;
  size_t head_dim = 0;
  size_t d_model = 0;
  std::vector<LayerConfig> layers;  // [num_layers]: windows, and which are not rotated
  RopeTrace rope;                   // of layers that see everything
  RopeTrace local_rope;             // of layers with a window
  float embedding_scale = 1;

  std::vector<float> embeddings;  // [num_tokens, d_model], scaled; without learnt positions
  std::vector<float> positions;   // [num_tokens, d_model] learnt, or empty
  std::vector<float> attention;   // [num_layers, num_heads, num_tokens * (num_tokens + 1) / 2]
  std::vector<float> logits;      // [vocab_size] after the last token

  [[nodiscard]] std::span<const float> Embedding(size_t token) const noexcept {
    return std::span(embeddings).subspan(token * d_model, d_model);
  }
  /// How much `token` looks at each token up to itself: token + 1 weights that sum to one.
  [[nodiscard]] std::span<const float> Attention(size_t layer_idx, size_t head,
                                                 size_t token) const noexcept;
};

/// Fills a trace during the one pass over an empty sequence's whole text. The weights are computed
/// again from the queries and keys, one head after the other in double precision: as the model
/// defines them, and before the cache has rounded the keys.
class TraceRecorder final : public PassObserver {
 public:
  /// batch_tokens: of the pass, which must take the text at once.
  /// Errors: kInvalidArgument for no tokens; kResource with both numbers for too many, or too large
  /// a model.
  [[nodiscard]] static Result<TraceRecorder> Create(const DecoderConfig& config, size_t num_tokens,
                                                    size_t batch_tokens);

  void AfterEmbedding(const PassContext& pass) override;
  void AfterKeys(const PassContext& pass, size_t layer_idx) override;

  /// The trace, its logits still to be filled.
  [[nodiscard]] DecoderTrace Take() && { return std::move(trace_); }

 private:
  TraceRecorder() = default;
  void Weigh(const PassContext& pass, size_t layer_idx, size_t head);

  DecoderTrace trace_;
};

}  // namespace vade::model
