// Bidirectional softmax attention of one head over one sequence.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/kernels.h"

namespace vade::model {

/// One head's view of a sequence's projections.
/// Shapes: query, key, value [num_tokens, head_dim] f32, rows `stride` apart;
/// out [num_tokens, head_dim] f32, rows out_stride apart.
struct AttentionHead {
  const float* query = nullptr;
  const float* key = nullptr;
  const float* value = nullptr;
  size_t stride = 0;
  size_t num_tokens = 0;
  size_t head_dim = 0;
  float* out = nullptr;
  size_t out_stride = 0;
  size_t reach = SIZE_MAX;  // tokens seen before and after a query's own
  float slope = 0;          // ALiBi: what a score loses for each token of distance
};

/// Working memory of one thread.
class AttentionScratch {
 public:
  void Reserve(size_t num_tokens, size_t head_dim);
  [[nodiscard]] static size_t Bytes(size_t num_tokens, size_t head_dim) noexcept;

  /// out = softmax(query * key^T / sqrt(head_dim) - slope * distance) * value, over the keys within
  /// reach.
  /// Queries are taken in tiles, so that a tile's scores stay in the first cache: memory is
  /// linear, not quadratic, in the sequence. REQUIRES Reserve for at least these sizes.
  void Run(const kernels::KernelTable& kernels, const AttentionHead& head) noexcept;

 private:
  void Weigh(const kernels::KernelTable& kernels, const AttentionHead& head, size_t query,
             size_t first_key, size_t num_keys, float* scores) const noexcept;

  AlignedBuffer<float> keys_;    // [ceil(num_tokens/32), head_dim, 32]: the weights of the scores
  AlignedBuffer<float> values_;  // [ceil(head_dim/32), num_tokens, 32]
  AlignedBuffer<float> scores_;  // [kQueryTile, num_tokens padded]
};

}  // namespace vade::model
