// The tensors of an encoder, bound once to named fields; every shape is checked against the
// hyper-parameters before anything is allocated.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/model/encoder_config.h"
#include "engine/model/rank_head.h"
#include "engine/tensor/packed_matrix.h"

namespace vade::model {

using Vector = std::vector<float>;

/// A matrix and its bias; an absent bias is empty.
struct Linear {
  tensor::PackedMatrix weight;  // [n, k]
  Vector bias;                  // [n] f32

  [[nodiscard]] const float* bias_or_null() const noexcept {
    return bias.empty() ? nullptr : bias.data();
  }
};

struct LayerNormWeights {
  Vector weight;  // [d_model] f32, or as wide as what is normalised
  Vector bias;    // likewise, may be empty

  [[nodiscard]] const float* bias_or_null() const noexcept {
    return bias.empty() ? nullptr : bias.data();
  }
};

/// Norms that a model does not have are empty. Those of post-norm models stand where their output
/// is read: attention_norm is the last one of the layer before.
struct EncoderLayer {
  LayerNormWeights attention_norm;  // of what attention reads
  Linear qkv;                       // [qkv_dim, d_model]
  LayerNormWeights q_norm;          // [d_model], all heads together
  LayerNormWeights k_norm;          // [kv_dim]
  Linear attention_out;             // [d_model, d_model]
  LayerNormWeights between_norm;    // after it the layer's input is added once more
  LayerNormWeights ffn_norm;        // of what the feed-forward network reads
  Linear ffn_gate;                  // [d_ff, d_model], gated models only
  Linear ffn_up;                    // [d_ff, d_model]
  Linear ffn_down;                  // [d_model, d_ff]
};

/// One row of f32 for each token id, dequantised when asked for.
class EmbeddingTable {
 public:
  EmbeddingTable() = default;
  EmbeddingTable(const gguf::TensorInfo& tensor);

  [[nodiscard]] size_t rows() const noexcept { return rows_; }
  /// REQUIRES row < rows(). out: [d_model].
  void Read(size_t row, float* out) const noexcept;

 private:
  quant::DequantizeFn dequantize_ = nullptr;
  size_t rows_ = 0;
  size_t width_ = 0;
  size_t row_bytes_ = 0;
  AlignedBuffer<std::byte> bytes_;  // the file's blocks
};

struct EncoderWeights {
  EmbeddingTable tokens;       // [vocab_size, d_model]
  AlignedBuffer<float> input;  // [ctx_len, d_model], position plus token type 0; or [1, d_model]
  bool input_per_position = false;
  LayerNormWeights input_norm;
  std::vector<EncoderLayer> layers;
  LayerNormWeights output_norm;
  RankHead rank;             // not empty if the pooling is kRank
  bool any_f32 = false;      // some matrix is Form::kF32
  bool any_between = false;  // some layer has a between_norm

  /// Copies everything out of the file; the file may go afterwards.
  /// Errors: kCorruptData naming the tensor, its shape and the expected one; kUnsupported for a
  /// tensor type that cannot be read or a tensor the architecture does not have; kResource "needs
  /// X, have Y".
  [[nodiscard]] static Result<EncoderWeights> Load(const gguf::File& file,
                                                   const EncoderConfig& config);
};

}  // namespace vade::model
