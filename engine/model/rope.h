// Rotary position embedding, NeoX layout: value i of a head is paired with value i + dims / 2.
#pragma once

#include <cstddef>

#include "engine/base/aligned_buffer.h"
#include "engine/model/encoder_config.h"

namespace vade::model {

/// Cosines and sines of the angles position * scale * base^(-2 i / dims).
class RopeTable {
 public:
  /// Covers positions [0, num_positions); keeps what is there if it already does. A
  /// table is always of one rope.
  void Reserve(const EncoderRope& rope, size_t num_positions);
  [[nodiscard]] static size_t Bytes(const EncoderRope& rope, size_t num_positions) noexcept;

  /// Rotates the first rope.dims values of `num_heads` neighbouring heads of one token.
  /// REQUIRES position < num_positions.
  void Rotate(size_t position, size_t num_heads, size_t head_dim, float* heads) const noexcept;

 private:
  size_t half_ = 0;  // rope_dims / 2
  size_t num_positions_ = 0;
  AlignedBuffer<float> table_;  // [num_positions, 2, half]: cosines, then sines
};

}  // namespace vade::model
