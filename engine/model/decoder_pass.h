// One forward pass of a decoder over one batch: the steps share its references.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/cancel.h"
#include "engine/kernels/kernels.h"
#include "engine/model/batch.h"
#include "engine/model/decoder_attention.h"
#include "engine/model/decoder_config.h"
#include "engine/model/decoder_ffn.h"
#include "engine/model/decoder_weights.h"
#include "engine/model/kv_cache.h"
#include "engine/model/pass_observer.h"
#include "engine/model/team.h"

namespace vade::model {

/// Working memory of one pass at a time.
struct DecoderScratch {
  AlignedBuffer<float> hidden;   // [num_rows, d_model], the residual stream
  AlignedBuffer<float> normed;   // [num_rows, d_model], what a branch reads
  AlignedBuffer<float> branch;   // [num_rows, d_model], what it gives
  AlignedBuffer<float> qkv;      // [num_rows, qkv_dim]
  AlignedBuffer<float> context;  // [num_rows, q_dim], what attention gathers
  tensor::Operand narrow;        // [num_rows, max(d_model, q_dim)]
  RopeRows rope;
  RopeRows local_rope;
  FfnScratch ffn;
  std::vector<AttentionTile> tiles;  // one per thread
};

/// A row of the batch with its place in its sequence; the cache has room for it.
struct PlacedRow {
  BatchToken token;
  size_t position = 0;
};

/// What a pass works with.
struct PassContext {
  const DecoderConfig& config;
  const DecoderWeights& weights;
  const kernels::KernelTable& kernels;
  const Team& team;
  KvCache& cache;
  DecoderScratch& scratch;
  std::span<const PlacedRow> rows;  // of one sequence: in the order of their positions
  const CancelToken* cancel = nullptr;
  PassObserver* observer = nullptr;  // null in normal runs
};

class DecoderPass : private PassContext {
 public:
  explicit DecoderPass(const PassContext& context) : PassContext(context) {}

  /// Stores keys and values, and the logits of the rows that want them, in order; without an output
  /// matrix, those rows after the last norm.
  /// Shapes: logits [num_wanted, vocab_size or d_model] f32. Returns false if cancelled.
  [[nodiscard]] bool Run(float* logits);

 private:
  void Embed();
  [[nodiscard]] bool RunLayer(size_t layer_idx);
  void Prepare(const LayerNormWeights& norm, const tensor::PackedMatrix& reader);
  void Store(const float* x, size_t width, const tensor::PackedMatrix& reader);
  void ProjectQkv(const DecoderLayer& layer);
  void AddBranch(const LayerNormWeights& post_norm, const LayerNormWeights& next_norm);
  void Multiply(const Linear& linear, float* y, size_t ldy);
  void PlaceKeys(const DecoderLayer& layer, size_t layer_idx);
  void PlaceRow(const DecoderLayer& layer, size_t layer_idx, size_t row);
  void NormalizeHeads(const Vector& weight, size_t num_heads, float* heads) const;
  void Attend(size_t layer_idx);
  void KeepWanted();
  void Logits(float* logits);
  void NormalizeInto(float* out);

  [[nodiscard]] float* Hidden(size_t row) const noexcept {
    return scratch.hidden.data() + row * config.d_model;
  }
  [[nodiscard]] float* Normed(size_t row) const noexcept {
    return scratch.normed.data() + row * config.d_model;
  }
  void NormalizeRow(const LayerNormWeights& norm, const float* x, float* y) const noexcept;

  size_t num_rows_ = 0;  // of the residual stream: in the last layer only those that want logits
  std::vector<AttentionRun> runs_;
};

}  // namespace vade::model
