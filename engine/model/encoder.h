// The forward pass of the encoder family: token ids in, one vector per token or per sequence out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/model/attention.h"
#include "engine/model/encoder_config.h"
#include "engine/model/encoder_weights.h"
#include "engine/model/rope.h"
#include "engine/model/team.h"

namespace vade::model {

using TokenId = int32_t;

/// Sequences laid end to end: no padding, every row of every product is a token.
struct TokenBatch {
  std::vector<TokenId> tokens;
  std::vector<size_t> starts = {0};  // sequence i is tokens [starts[i], starts[i + 1])

  void Add(std::span<const TokenId> sequence) {
    tokens.insert(tokens.end(), sequence.begin(), sequence.end());
    starts.push_back(tokens.size());
  }
  [[nodiscard]] size_t num_tokens() const noexcept { return tokens.size(); }
  [[nodiscard]] size_t num_sequences() const noexcept { return starts.size() - 1; }
  [[nodiscard]] size_t length(size_t i) const noexcept { return starts[i + 1] - starts[i]; }
  [[nodiscard]] size_t longest() const noexcept;
};

/// Working memory of one pass at a time.
struct EncoderScratch {
  AlignedBuffer<float> hidden;       // [num_tokens, d_model], the residual stream and the result
  AlignedBuffer<float> qkv;          // [num_tokens, qkv_dim]
  AlignedBuffer<float> context;      // [num_tokens, d_model], what attention gathers
  tensor::Operand narrow;            // [num_tokens, d_model]
  tensor::Operand wide;              // [num_tokens, d_ff]
  AlignedBuffer<float> layer_input;  // [num_tokens, d_model], of models with a between_norm
  RopeTable rope;
  RopeTable local_rope;
  struct PerThread {
    AttentionScratch attention;
    AlignedBuffer<float> up;    // [num_tokens, kFfnColumns]
    AlignedBuffer<float> gate;  // likewise, gated models only
  };
  std::vector<PerThread> threads;
};

/// Immutable; const-safe from any thread, each pass with its own scratch.
class Encoder {
 public:
  /// Copies the weights out of the file. A pooling given takes the place of the file's. Errors:
  /// ReadEncoderConfig's and EncoderWeights::Load's.
  [[nodiscard]] static Result<Encoder> Load(const gguf::File& file,
                                            const kernels::KernelTable& kernels,
                                            std::optional<Pooling> pooling = std::nullopt);

  [[nodiscard]] const EncoderConfig& config() const noexcept { return config_; }
  [[nodiscard]] size_t vocab_size() const noexcept { return weights_.tokens.rows(); }
  /// Values of one pooled output: d_model, or the number of labels for Pooling::kRank.
  [[nodiscard]] size_t output_dim() const noexcept;

  /// Bytes Reserve would take.
  [[nodiscard]] size_t ScratchBytes(size_t num_tokens, size_t longest,
                                    size_t team_size) const noexcept;
  void Reserve(size_t num_tokens, size_t longest, size_t team_size, EncoderScratch& scratch) const;

  /// Fills scratch.hidden: [num_tokens, d_model] f32.
  /// REQUIRES ids in [0, vocab_size()), lengths in [1, ctx_len], and Reserve for this batch.
  void Forward(const TokenBatch& batch, const Team& team, EncoderScratch& scratch) const;

  /// One sequence's pooled output, not normalised. Shapes: hidden [num_tokens, d_model] f32,
  /// out [output_dim()] f32. REQUIRES a pooling other than kNone.
  /// Source: llama.cpp's poolings, by <arch>.pooling_type.
  void Pool(std::span<const float> hidden, std::span<float> out) const;

 private:
  Encoder() = default;
  struct Pass;  // one forward pass: the steps share its references

  EncoderConfig config_;
  EncoderWeights weights_;
  const kernels::KernelTable* kernels_ = nullptr;
};

}  // namespace vade::model
