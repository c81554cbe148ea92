#include "engine/model/decoder_attention.h"

#include <algorithm>

namespace vade::model {
namespace {

constexpr size_t kPage = kKvPageTokens;

size_t Padded(size_t n) noexcept { return (n + kPage - 1) / kPage * kPage; }

// A window may begin inside a page: its columns reach over one page more.
size_t ScoreStride(size_t num_tokens) noexcept { return Padded(num_tokens) + kPage; }

void Grow(AlignedBuffer<float>& buffer, size_t size) {
  if (buffer.size() < size) buffer = AlignedBuffer<float>(size);
}

}  // namespace

void AttentionTile::Reserve(size_t num_tokens, size_t head_dim) {
  score_stride_ = std::max(score_stride_, ScoreStride(num_tokens));
  Grow(queries_, kMaxRows * head_dim);
  Grow(scores_, kMaxRows * score_stride_);
  Grow(panels_, Padded(head_dim) * kPage);
  Grow(out_, kMaxRows * head_dim);
}

size_t AttentionTile::Bytes(size_t num_tokens, size_t head_dim) noexcept {
  return sizeof(float) *
         (kMaxRows * (2 * head_dim + ScoreStride(num_tokens)) + Padded(head_dim) * kPage);
}

AttentionTile::Range AttentionTile::Visible(const AttentionShape& shape, const AttentionTask& task,
                                            size_t query) noexcept {
  const size_t end = task.run.first_position + query / shape.group() + 1;
  const bool cut = shape.window != 0 && end > shape.window;
  return {cut ? end - shape.window : 0, end};
}

// Scaled queries beside each other.
void AttentionTile::Gather(const AttentionShape& shape, const AttentionTask& task,
                           const float* queries, size_t stride) noexcept {
  const size_t d = shape.head_dim;
  for (size_t query = task.begin; query < task.end; ++query) {
    const size_t row = task.run.first_row + query / shape.group();
    const size_t head = task.kv_head * shape.group() + query % shape.group();
    const float* from = queries + row * stride + head * d;
    float* to = queries_.data() + (query - task.begin) * d;
    for (size_t i = 0; i < d; ++i) to[i] = from[i] * shape.scale;
  }
}

void AttentionTile::Score(const kernels::KernelTable& kernels, const KvLayout& layout,
                          size_t layer_idx, const AttentionTask& task, Range range) noexcept {
  for (size_t first = range.begin; first < range.end; first += kPage) {
    layout.LoadKeys(kernels,
                    task.run.pages[first / kPage] + layout.KeyOffset(layer_idx, task.kv_head),
                    panels_.data());
    kernels.gemm_f32({.a = queries_.data(),
                      .lda = layout.head_dim(),
                      .m = task.end - task.begin,
                      .k = layout.head_dim(),
                      .panels = panels_.data(),
                      .c = scores_.data() + (first - range.begin),
                      .ldc = score_stride_,
                      .n = std::min(kPage, range.end - first)});
  }
}

// Scores become weights; what a row does not see weighs nothing.
void AttentionTile::Weigh(const kernels::KernelTable& kernels, const AttentionShape& shape,
                          const AttentionTask& task, Range range) noexcept {
  for (size_t query = task.begin; query < task.end; ++query) {
    float* row = scores_.data() + (query - task.begin) * score_stride_;
    const Range seen = Visible(shape, task, query);
    float* scores = row + (seen.begin - range.begin);
    const size_t n = seen.end - seen.begin;
    if (shape.cap != 0) kernels.soft_cap(scores, n, 1.0f, shape.cap);
    kernels.softmax(scores, n, 1.0f);
    std::fill(row, scores, 0.0f);
    std::fill(scores + n, row + (range.end - range.begin), 0.0f);
  }
}

void AttentionTile::Sum(const kernels::KernelTable& kernels, const KvLayout& layout,
                        size_t layer_idx, const AttentionTask& task, Range range) noexcept {
  for (size_t first = range.begin; first < range.end; first += kPage) {
    const size_t num_tokens = std::min(kPage, range.end - first);
    layout.LoadValues(kernels,
                      task.run.pages[first / kPage] + layout.ValueOffset(layer_idx, task.kv_head),
                      num_tokens, panels_.data());
    kernels.gemm_f32({.a = scores_.data() + (first - range.begin),
                      .lda = score_stride_,
                      .m = task.end - task.begin,
                      .k = num_tokens,
                      .panels = panels_.data(),
                      .c = out_.data(),
                      .ldc = layout.head_dim(),
                      .n = layout.head_dim(),
                      .accumulate = first != range.begin});
  }
}

void AttentionTile::Run(const kernels::KernelTable& kernels, const KvLayout& layout,
                        size_t layer_idx, const AttentionShape& shape, const AttentionTask& task,
                        const float* queries, size_t stride, float* out,
                        size_t out_stride) noexcept {
  // From the page of the first row's first position to the last row's own.
  const size_t begin = Visible(shape, task, task.begin).begin / kPage * kPage;
  const Range range{begin, Visible(shape, task, task.end - 1).end};
  Gather(shape, task, queries, stride);
  Score(kernels, layout, layer_idx, task, range);
  Weigh(kernels, shape, task, range);
  Sum(kernels, layout, layer_idx, task, range);
  const size_t d = shape.head_dim;
  for (size_t query = task.begin; query < task.end; ++query) {
    const size_t row = task.run.first_row + query / shape.group();
    const size_t head = task.kv_head * shape.group() + query % shape.group();
    std::copy_n(out_.data() + (query - task.begin) * d, d, out + row * out_stride + head * d);
  }
}

}  // namespace vade::model
