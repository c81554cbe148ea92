#include "engine/model/attention.h"

#include <algorithm>
#include <cmath>

namespace vade::model {
namespace {

using kernels::kPanelWidth;

constexpr size_t kQueryTile = 24;  // two register tiles of the AVX-512 product

size_t Padded(size_t n) noexcept { return (n + kPanelWidth - 1) / kPanelWidth * kPanelWidth; }

// Rows of x [n, k] become panels [ceil(n/32), k, 32]; columns past n keep what they held, which
// the product never stores.
void PackTransposed(const float* x, size_t stride, size_t n, size_t k, float* panels) noexcept {
  for (size_t row = 0; row < n; ++row) {
    float* out = panels + row / kPanelWidth * kPanelWidth * k + row % kPanelWidth;
    for (size_t i = 0; i < k; ++i) out[i * kPanelWidth] = x[row * stride + i];
  }
}

// x [k, n] becomes panels [ceil(n/32), k, 32].
void PackRows(const float* x, size_t stride, size_t k, size_t n, float* panels) noexcept {
  for (size_t col = 0; col < n; col += kPanelWidth) {
    const size_t width = std::min(kPanelWidth, n - col);
    float* out = panels + col * k;
    for (size_t i = 0; i < k; ++i) {
      std::copy_n(x + i * stride + col, width, out + i * kPanelWidth);
    }
  }
}

}  // namespace

void AttentionScratch::Reserve(size_t num_tokens, size_t head_dim) {
  const auto grow = [](AlignedBuffer<float>& buffer, size_t size) {
    if (buffer.size() < size) buffer = AlignedBuffer<float>(size);
  };
  grow(keys_, Padded(num_tokens) * head_dim);
  grow(values_, num_tokens * Padded(head_dim));
  grow(scores_, kQueryTile * Padded(num_tokens));
}

size_t AttentionScratch::Bytes(size_t num_tokens, size_t head_dim) noexcept {
  return sizeof(float) *
         (Padded(num_tokens) * (head_dim + kQueryTile) + num_tokens * Padded(head_dim));
}

// One query's scores become weights; those of keys out of reach become 0.
void AttentionScratch::Weigh(const kernels::KernelTable& kernels, const AttentionHead& head,
                             size_t query, size_t first_key, size_t num_keys,
                             float* scores) const noexcept {
  const float scale = 1.0f / std::sqrt(static_cast<float>(head.head_dim));
  const size_t first_seen = query - std::min(query, head.reach);
  const size_t last_seen = query + std::min(head.num_tokens - 1 - query, head.reach);
  const size_t begin = first_seen - first_key;
  const size_t end = last_seen + 1 - first_key;
  std::fill(scores, scores + begin, 0.0f);
  std::fill(scores + end, scores + num_keys, 0.0f);
  if (head.slope != 0) {
    const float slope = head.slope / scale;  // the softmax multiplies by scale
    const size_t own = query - first_key;
    for (size_t i = begin; i < own; ++i) scores[i] -= slope * static_cast<float>(own - i);
    for (size_t i = own; i < end; ++i) scores[i] -= slope * static_cast<float>(i - own);
  }
  kernels.softmax(scores + begin, end - begin, scale);
}

void AttentionScratch::Run(const kernels::KernelTable& kernels,
                           const AttentionHead& head) noexcept {
  const size_t n = head.num_tokens;
  const size_t d = head.head_dim;
  const size_t score_stride = Padded(n);
  PackTransposed(head.key, head.stride, n, d, keys_.data());
  PackRows(head.value, head.stride, n, d, values_.data());
  for (size_t first = 0; first < n; first += kQueryTile) {
    const size_t rows = std::min(kQueryTile, n - first);
    // The keys any query of the tile reaches, from the start of a panel on.
    const size_t first_key = (first - std::min(first, head.reach)) / kPanelWidth * kPanelWidth;
    const size_t last_query = first + rows - 1;
    const size_t end_key = last_query + std::min(n - 1 - last_query, head.reach) + 1;
    const size_t num_keys = end_key - first_key;
    kernels.gemm_f32({.a = head.query + first * head.stride,
                      .lda = head.stride,
                      .m = rows,
                      .k = d,
                      .panels = keys_.data() + first_key * d,
                      .c = scores_.data(),
                      .ldc = score_stride,
                      .n = num_keys});
    for (size_t row = 0; row < rows; ++row) {
      Weigh(kernels, head, first + row, first_key, num_keys, scores_.data() + row * score_stride);
    }
    const kernels::GemmF32 mix{.a = scores_.data(),
                               .lda = score_stride,
                               .m = rows,
                               .k = num_keys,
                               .panels = values_.data() + first_key * kPanelWidth,
                               .c = head.out + first * head.out_stride,
                               .ldc = head.out_stride,
                               .n = d};
    if (num_keys == n) {
      kernels.gemm_f32(mix);
      continue;
    }
    for (size_t col = 0; col < d; col += kPanelWidth) {  // a part of each panel's rows
      kernels::GemmF32 panel = mix;
      panel.panels += col * n;
      panel.c += col;
      panel.n = std::min(kPanelWidth, d - col);
      kernels.gemm_f32(panel);
    }
  }
}

}  // namespace vade::model
