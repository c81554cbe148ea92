// Causal attention of decoders over the paged cache, in tiles.
//
// The queries of all heads that share a key head are rows of one product with that head's keys, so
// a page is read once for all of them: with 8 queries per key head decoding reads the cache once,
// not 8 times, and a prompt reads it once per tile of 64 rows.
#pragma once

#include <cstddef>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/kernels.h"
#include "engine/model/kv_page.h"

namespace vade::model {

/// Rows of a batch that follow each other in one sequence. Its pages hold all positions up to the
/// last of these.
struct AttentionRun {
  const std::byte* const* pages = nullptr;
  size_t first_position = 0;
  size_t first_row = 0;
  size_t num_rows = 0;
};

struct AttentionShape {
  size_t num_heads = 0;
  size_t num_kv_heads = 0;
  size_t head_dim = 0;
  size_t window = 0;  // tokens seen, itself included; 0: all
  float scale = 1;    // of the scores
  float cap = 0;      // cap * tanh(score / cap); 0: none

  /// Queries of one token that share a key head.
  [[nodiscard]] size_t group() const noexcept { return num_heads / num_kv_heads; }
};

/// Part of the work: queries [begin, end) of one key head, where query i is head i % group of the
/// run's token i / group.
struct AttentionTask {
  AttentionRun run;
  size_t kv_head = 0;
  size_t begin = 0;
  size_t end = 0;
};

/// Working memory of one thread.
class AttentionTile {
 public:
  static constexpr size_t kMaxRows = 64;

  /// For sequences up to num_tokens.
  void Reserve(size_t num_tokens, size_t head_dim);
  [[nodiscard]] static size_t Bytes(size_t num_tokens, size_t head_dim) noexcept;

  /// Shapes: queries [num_rows of the batch, num_heads * head_dim] f32, rows `stride` apart; out
  /// likewise, out_stride apart. REQUIRES Reserve, end - begin <= kMaxRows.
  void Run(const kernels::KernelTable& kernels, const KvLayout& layout, size_t layer_idx,
           const AttentionShape& shape, const AttentionTask& task, const float* queries,
           size_t stride, float* out, size_t out_stride) noexcept;

 private:
  struct Range {  // of positions
    size_t begin;
    size_t end;
  };
  [[nodiscard]] static Range Visible(const AttentionShape& shape, const AttentionTask& task,
                                     size_t query) noexcept;
  void Gather(const AttentionShape& shape, const AttentionTask& task, const float* queries,
              size_t stride) noexcept;
  void Score(const kernels::KernelTable& kernels, const KvLayout& layout, size_t layer_idx,
             const AttentionTask& task, Range range) noexcept;
  void Weigh(const kernels::KernelTable& kernels, const AttentionShape& shape,
             const AttentionTask& task, Range range) noexcept;
  void Sum(const kernels::KernelTable& kernels, const KvLayout& layout, size_t layer_idx,
           const AttentionTask& task, Range range) noexcept;

  size_t score_stride_ = 0;
  AlignedBuffer<float> queries_;  // [kMaxRows, head_dim]
  AlignedBuffer<float> scores_;   // [kMaxRows, score_stride_], column 0 is the range's first page
  AlignedBuffer<float> panels_;   // one page's keys or values, widened
  AlignedBuffer<float> out_;      // [kMaxRows, head_dim]
};

}  // namespace vade::model
