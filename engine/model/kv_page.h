// One page of the key/value cache: what kKvPageTokens consecutive tokens of a sequence leave behind
// in all layers, stored in the order the matrix products want.
//
// A page holds for each layer and each key head two blocks:
//   keys    [head_dim, 32 tokens]              one panel: the weights of the scores
//   values  [ceil(head_dim / 32), 32 tokens, 32]   panels: the weights of the weighted sum
// so that widening a block to f32 gives panels as they are, with no transposition. kQ8_0 adds a
// scale per 32 values of a head, in f16, behind each block: [ceil(head_dim / 32), 32 tokens].
#pragma once

#include <cstddef>

#include "engine/kernels/kernels.h"
#include "engine/model/batch.h"

namespace vade::model {

inline constexpr size_t kKvPageTokens = kernels::kPanelWidth;

/// Longest head a page can hold.
inline constexpr size_t kMaxHeadDim = 1024;

/// Sizes and places inside a page. Const-safe; distinct slots may be stored from distinct threads.
class KvLayout {
 public:
  KvLayout() = default;
  /// REQUIRES head_dim <= kMaxHeadDim.
  KvLayout(KvType type, size_t num_layers, size_t num_kv_heads, size_t head_dim) noexcept;

  [[nodiscard]] size_t page_bytes() const noexcept { return num_layers_ * layer_bytes_; }
  [[nodiscard]] size_t head_dim() const noexcept { return head_dim_; }

  [[nodiscard]] size_t KeyOffset(size_t layer_idx, size_t head) const noexcept {
    return layer_idx * layer_bytes_ + head * (key_bytes_ + value_bytes_);
  }
  [[nodiscard]] size_t ValueOffset(size_t layer_idx, size_t head) const noexcept {
    return KeyOffset(layer_idx, head) + key_bytes_;
  }

  /// Puts one token's head into a block. x [head_dim] f32; slot < kKvPageTokens.
  void StoreKey(const kernels::KernelTable& kernels, std::byte* block, size_t slot,
                const float* x) const noexcept;
  void StoreValue(const kernels::KernelTable& kernels, std::byte* block, size_t slot,
                  const float* x) const noexcept;

  /// panel [head_dim, 32] f32: all slots, whatever they hold.
  void LoadKeys(const kernels::KernelTable& kernels, const std::byte* block,
                float* panel) const noexcept;
  /// panels [ceil(head_dim / 32), num_tokens, 32] f32, zero past head_dim: the first slots.
  void LoadValues(const kernels::KernelTable& kernels, const std::byte* block, size_t num_tokens,
                  float* panels) const noexcept;

 private:
  KvType type_ = KvType::kF16;
  size_t num_layers_ = 0;
  size_t head_dim_ = 0;
  size_t num_panels_ = 0;  // ceil(head_dim / 32)
  size_t key_bytes_ = 0;   // of one block, scales included
  size_t value_bytes_ = 0;
  size_t layer_bytes_ = 0;
};

}  // namespace vade::model
