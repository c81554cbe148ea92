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

void AttentionScratch::Run(const kernels::KernelTable& kernels,
                           const AttentionHead& head) noexcept {
  const size_t n = head.num_tokens;
  const size_t d = head.head_dim;
  const size_t score_stride = Padded(n);
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  PackTransposed(head.key, head.stride, n, d, keys_.data());
  PackRows(head.value, head.stride, n, d, values_.data());
  for (size_t first = 0; first < n; first += kQueryTile) {
    const size_t rows = std::min(kQueryTile, n - first);
    kernels.gemm_f32({.a = head.query + first * head.stride,
                      .lda = head.stride,
                      .m = rows,
                      .k = d,
                      .panels = keys_.data(),
                      .c = scores_.data(),
                      .ldc = score_stride,
                      .n = n});
    for (size_t row = 0; row < rows; ++row) {
      kernels.softmax(scores_.data() + row * score_stride, n, scale);
    }
    kernels.gemm_f32({.a = scores_.data(),
                      .lda = score_stride,
                      .m = rows,
                      .k = n,
                      .panels = values_.data(),
                      .c = head.out + first * head.out_stride,
                      .ldc = head.out_stride,
                      .n = d});
  }
}

}  // namespace vade::model
