// The tensors of a decoder, bound once to named fields; every shape is checked against the
// hyper-parameters before anything is packed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/model/decoder_config.h"
#include "engine/model/decoder_rope.h"
#include "engine/model/encoder_weights.h"
#include "engine/model/rank_head.h"
#include "engine/model/team.h"
#include "engine/tensor/packed_matrix.h"

namespace vade::model {

/// One feed-forward network: the only one of a layer, an expert, or the shared expert.
struct FfnWeights {
  Linear gate;  // [d_ff, d_model], gated kinds only
  Linear up;    // [d_ff, d_model], in the form of gate
  Linear down;  // [d_model, d_ff]
};

struct DecoderLayer {
  LayerNormWeights attention_norm;  // empty where the layer does not normalise there, as all norms
  /// [qkv_dim, d_model] in one to three pieces below each other: a matrix for each tensor type.
  std::vector<Linear> qkv;
  Vector q_norm;         // [head_dim], [num_heads, head_dim] or [q_dim]
  Vector k_norm;         // likewise of keys
  Linear attention_out;  // [d_model, q_dim]
  LayerNormWeights attention_post_norm;

  LayerNormWeights ffn_norm;    // empty: the network reads what attention read, or no norm at all
  std::vector<FfnWeights> ffn;  // one, or all experts, alike in shape and form
  Linear router;                // [num_experts, d_model], mixtures of experts only
  std::vector<FfnWeights> shared;  // none or one
  Vector shared_gate;              // [d_model] f32
  LayerNormWeights ffn_post_norm;
};

/// Rows of f32 for ids or positions, dequantised when asked for. Views the file.
class StoredRows {
 public:
  StoredRows() = default;
  StoredRows(const gguf::File& file, const gguf::TensorInfo& tensor);

  [[nodiscard]] size_t rows() const noexcept { return rows_; }
  /// REQUIRES row < rows(). out: [width].
  void Read(size_t row, float* out) const noexcept;
  /// Gives back the memory of rows read so far: the system maps up to 2 MB around each.
  void Release() const noexcept { file_->Release({data_, rows_ * row_bytes_}); }

 private:
  const gguf::File* file_ = nullptr;
  quant::DequantizeFn dequantize_ = nullptr;
  const std::byte* data_ = nullptr;
  size_t rows_ = 0;
  size_t width_ = 0;
  size_t row_bytes_ = 0;
};

struct DecoderWeights {
  StoredRows tokens;     // [vocab_size, d_model]
  StoredRows positions;  // [trained_ctx_len, d_model], position_embeddings only
  std::vector<DecoderLayer> layers;
  LayerNormWeights output_norm;
  Linear output;  // [vocab_size, d_model]
  /// For layers that see everything, and for those with a window.
  RopeFrequencies rope;
  RopeFrequencies local_rope;
  RankHead rank;         // of rerankers, else empty
  bool any_f32 = false;  // some matrix wants f32 operands
};

/// Binding and packing are two steps, so that the memory needed is known before it is taken.
class DecoderLoader {
 public:
  /// Checks all tensors and reads the small ones. ctx_len chooses between short and long RoPE
  /// factors; without logits the output matrix is not packed. REQUIRES the file outlives this and
  /// the weights. Errors: kCorruptData naming the tensor, its shape and the expected one;
  /// kUnsupported for a tensor type that cannot be read or a tensor the architecture does not have.
  [[nodiscard]] static Result<DecoderLoader> Bind(const gguf::File& file,
                                                  const DecoderConfig& config, size_t ctx_len,
                                                  bool logits = true);

  /// Bytes Pack will take.
  [[nodiscard]] uint64_t packed_bytes() const noexcept { return packed_bytes_; }
  [[nodiscard]] const DecoderWeights& weights() const noexcept { return *weights_; }

  /// Packs every matrix, its rows shared out.
  [[nodiscard]] std::unique_ptr<const DecoderWeights> Pack(const Team& team) &&;

  /// For Bind: a matrix to be packed from these parts, which outlive the loader.
  void Add(std::vector<tensor::StoredMatrix> parts, tensor::Form form,
           tensor::PackedMatrix& target);
  [[nodiscard]] DecoderWeights& mutable_weights() noexcept { return *weights_; }

 private:
  struct Job {
    std::vector<tensor::StoredMatrix> parts;
    tensor::Form form;
    tensor::PackedMatrix* target;  // inside *weights_
  };

  explicit DecoderLoader(const gguf::File& file)
      : file_(&file), weights_(std::make_unique<DecoderWeights>()) {}

  const gguf::File* file_;
  std::unique_ptr<DecoderWeights> weights_;  // its address is in the jobs
  std::vector<Job> jobs_;
  uint64_t packed_bytes_ = 0;
};

}  // namespace vade::model
