#include "engine/model/rope.h"

#include <cmath>

namespace vade::model {

void RopeTable::Reserve(const EncoderRope& rope, size_t num_positions) {
  if (rope.dims == 0 || num_positions <= num_positions_) return;
  half_ = rope.dims / 2;
  num_positions_ = num_positions;
  table_ = AlignedBuffer<float>(num_positions * 2 * half_);
  for (size_t i = 0; i < half_; ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rope.dims);
    const double frequency = std::pow(double{rope.base}, exponent) * double{rope.position_scale};
    for (size_t position = 0; position < num_positions; ++position) {
      const double angle = static_cast<double>(position) * frequency;
      float* row = table_.data() + position * 2 * half_;
      row[i] = static_cast<float>(std::cos(angle));
      row[half_ + i] = static_cast<float>(std::sin(angle));
    }
  }
}

size_t RopeTable::Bytes(const EncoderRope& rope, size_t num_positions) noexcept {
  return num_positions * rope.dims * sizeof(float);
}

void RopeTable::Rotate(size_t position, size_t num_heads, size_t head_dim,
                       float* heads) const noexcept {
  const float* cosines = table_.data() + position * 2 * half_;
  const float* sines = cosines + half_;
  for (size_t head = 0; head < num_heads; ++head) {
    float* x = heads + head * head_dim;
    for (size_t i = 0; i < half_; ++i) {
      const float a = x[i];
      const float b = x[half_ + i];
      x[i] = a * cosines[i] - b * sines[i];
      x[half_ + i] = a * sines[i] + b * cosines[i];
    }
  }
}

}  // namespace vade::model
