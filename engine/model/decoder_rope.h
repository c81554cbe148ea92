// Rotary position embedding of decoders: frequencies with every kind of scaling, and the rotation
// of a batch's rows.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/kernels.h"
#include "engine/model/decoder_config.h"

namespace vade::model {

/// Angle per position of each rotated pair. Immutable.
class RopeFrequencies {
 public:
  RopeFrequencies() = default;

  /// `factors` [dims / 2], or empty: what each frequency is divided by (llama3, longrope).
  RopeFrequencies(const RopeConfig& config, std::span<const float> factors);

  [[nodiscard]] size_t half() const noexcept { return frequencies_.size(); }
  /// Radians per position of each pair.
  [[nodiscard]] std::span<const double> per_position() const noexcept { return frequencies_; }
  /// Shapes: cosines, sines [half()] f32.
  void Fill(size_t position, float* cosines, float* sines) const noexcept;

 private:
  std::vector<double> frequencies_;  // [dims / 2]
  float magnitude_ = 1;
};

/// Cosines and sines of the rows of one batch. Rows may be filled from distinct threads.
class RopeRows {
 public:
  void Reserve(size_t num_rows, size_t half);
  [[nodiscard]] static size_t Bytes(size_t num_rows, size_t half) noexcept;

  void Set(size_t row, size_t position, const RopeFrequencies& frequencies) noexcept;

  /// Rotates the leading values of `num_heads` neighbouring heads. REQUIRES Set(row).
  void Rotate(const kernels::KernelTable& kernels, RopeStyle style, size_t row, size_t num_heads,
              size_t head_dim, float* heads) const noexcept;

 private:
  size_t half_ = 0;
  AlignedBuffer<float> table_;  // [num_rows, 2, half]: cosines, then sines
};

}  // namespace vade::model
