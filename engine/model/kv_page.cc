#include "engine/model/kv_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/quant/half.h"

namespace vade::model {
namespace {

constexpr size_t kWidth = kernels::kPanelWidth;
constexpr float kMaxCode = 127.0f;

size_t ElementBytes(KvType type) noexcept {
  switch (type) {
    case KvType::kF32:
      return sizeof(float);
    case KvType::kF16:
      return sizeof(uint16_t);
    case KvType::kQ8_0:
      return sizeof(int8_t);
  }
  return 0;
}

// Where element i of one token goes in a block of keys: a column of the panel.
size_t KeyPlace(size_t slot, size_t i) noexcept { return i * kWidth + slot; }

// And in a block of values: a row of each panel.
size_t ValuePlace(size_t slot, size_t i) noexcept {
  return (i / kWidth * kKvPageTokens + slot) * kWidth + i % kWidth;
}

// One scale per 32 values: the largest magnitude is code 127. A value that is not finite makes its
// scale NaN, so that it is not lost.
template <typename Place>
void StoreQ8(std::byte* block, size_t block_values, size_t slot, const float* x, size_t n,
             const Place& place) noexcept {
  auto* codes = reinterpret_cast<int8_t*>(block);
  auto* scales = reinterpret_cast<uint16_t*>(block + block_values);
  for (size_t first = 0; first < n; first += kWidth) {
    const size_t end = std::min(n, first + kWidth);
    float highest = 0;
    float poison = 0;
    for (size_t i = first; i < end; ++i) {
      highest = std::max(highest, std::abs(x[i]));
      poison += x[i] * 0.0f;
    }
    const uint16_t scale = quant::FloatToHalf(highest / kMaxCode + poison);
    scales[first / kWidth * kKvPageTokens + slot] = scale;
    const float stored = quant::HalfToFloat(scale);
    const float inverse = stored > 0 && poison == 0 ? 1.0f / stored : 0.0f;
    for (size_t i = first; i < end; ++i) {
      const float code = std::clamp(std::nearbyint(x[i] * inverse), -kMaxCode, kMaxCode);
      codes[place(slot, i)] = poison == 0 ? static_cast<int8_t>(code) : int8_t{1};
    }
  }
}

template <typename Place>
void StoreToken(const kernels::KernelTable& kernels, KvType type, std::byte* block,
                size_t block_values, size_t slot, const float* x, size_t n,
                const Place& place) noexcept {
  switch (type) {
    case KvType::kF32: {
      auto* out = reinterpret_cast<float*>(block);
      for (size_t i = 0; i < n; ++i) out[place(slot, i)] = x[i];
      return;
    }
    case KvType::kF16: {
      auto* out = reinterpret_cast<uint16_t*>(block);
      std::array<uint16_t, kMaxHeadDim> halves;
      kernels.f32_to_f16(x, n, halves.data());
      for (size_t i = 0; i < n; ++i) out[place(slot, i)] = halves[i];
      return;
    }
    case KvType::kQ8_0:
      return StoreQ8(block, block_values, slot, x, n, place);
  }
}

}  // namespace

KvLayout::KvLayout(KvType type, size_t num_layers, size_t num_kv_heads, size_t head_dim) noexcept
    : type_(type),
      num_layers_(num_layers),
      head_dim_(head_dim),
      num_panels_((head_dim + kWidth - 1) / kWidth) {
  const size_t scale_bytes =
      type == KvType::kQ8_0 ? num_panels_ * kKvPageTokens * sizeof(uint16_t) : 0;
  key_bytes_ = head_dim * kWidth * ElementBytes(type) + scale_bytes;
  value_bytes_ = num_panels_ * kKvPageTokens * kWidth * ElementBytes(type) + scale_bytes;
  layer_bytes_ = num_kv_heads * (key_bytes_ + value_bytes_);
}

void KvLayout::StoreKey(const kernels::KernelTable& kernels, std::byte* block, size_t slot,
                        const float* x) const noexcept {
  StoreToken(kernels, type_, block, head_dim_ * kWidth, slot, x, head_dim_, KeyPlace);
}

void KvLayout::StoreValue(const kernels::KernelTable& kernels, std::byte* block, size_t slot,
                          const float* x) const noexcept {
  const size_t block_values = num_panels_ * kKvPageTokens * kWidth;
  StoreToken(kernels, type_, block, block_values, slot, x, head_dim_, ValuePlace);
}

void KvLayout::LoadKeys(const kernels::KernelTable& kernels, const std::byte* block,
                        float* panel) const noexcept {
  const size_t size = head_dim_ * kWidth;
  switch (type_) {
    case KvType::kF32:
      std::memcpy(panel, block, size * sizeof(float));
      return;
    case KvType::kF16:
      return kernels.f16_to_f32(reinterpret_cast<const uint16_t*>(block), size, panel);
    case KvType::kQ8_0:
      break;
  }
  const auto* codes = reinterpret_cast<const int8_t*>(block);
  const auto* scales = reinterpret_cast<const uint16_t*>(block + size);
  std::array<float, kWidth> scale{};
  for (size_t i = 0; i < head_dim_; ++i) {
    if (i % kWidth == 0)
      kernels.f16_to_f32(scales + i / kWidth * kKvPageTokens, kWidth, scale.data());
    for (size_t t = 0; t < kWidth; ++t) {
      panel[i * kWidth + t] = static_cast<float>(codes[i * kWidth + t]) * scale[t];
    }
  }
}

void KvLayout::LoadValues(const kernels::KernelTable& kernels, const std::byte* block,
                          size_t num_tokens, float* panels) const noexcept {
  const size_t panel_values = kKvPageTokens * kWidth;
  const auto* scales = reinterpret_cast<const uint16_t*>(block + num_panels_ * panel_values);
  for (size_t panel = 0; panel < num_panels_; ++panel) {
    const size_t from = panel * panel_values;
    float* to = panels + panel * num_tokens * kWidth;
    const size_t size = num_tokens * kWidth;
    switch (type_) {
      case KvType::kF32:
        std::memcpy(to, block + from * sizeof(float), size * sizeof(float));
        break;
      case KvType::kF16:
        kernels.f16_to_f32(reinterpret_cast<const uint16_t*>(block) + from, size, to);
        break;
      case KvType::kQ8_0:
        for (size_t t = 0; t < num_tokens; ++t) {
          const float scale = quant::HalfToFloat(scales[panel * kKvPageTokens + t]);
          const auto* codes = reinterpret_cast<const int8_t*>(block) + from + t * kWidth;
          for (size_t i = 0; i < kWidth; ++i) {
            to[t * kWidth + i] = static_cast<float>(codes[i]) * scale;
          }
        }
        break;
    }
  }
}

}  // namespace vade::model
