#include "engine/model/decoder_rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vade::model {
namespace {

// The dimension pair that makes `turns` turns within the original context.
// Source: Peng et al. 2023, YaRN, eq. 17 solved for the dimension.
double PairOfTurns(const RopeConfig& config, double turns) {
  const double ctx_len = static_cast<double>(config.scaling.original_ctx_len);
  return static_cast<double>(config.dims) * std::log(ctx_len / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(double{config.base}));
}

// 1 for pairs that keep their frequency, 0 for those scaled fully, linear between.
class YarnRamp {
 public:
  explicit YarnRamp(const RopeConfig& config)
      : low_(std::max(0.0, std::floor(PairOfTurns(config, double{config.scaling.beta_fast})))),
        high_(std::min(static_cast<double>(config.dims) - 1,
                       std::ceil(PairOfTurns(config, double{config.scaling.beta_slow})))) {}

  [[nodiscard]] double operator()(size_t pair) const {
    const double at = (static_cast<double>(pair) - low_) / std::max(0.001, high_ - low_);
    return 1 - std::clamp(at, 0.0, 1.0);
  }

 private:
  double low_;
  double high_;
};

}  // namespace

RopeFrequencies::RopeFrequencies(const RopeConfig& config, std::span<const float> factors)
    : frequencies_(config.dims / 2), magnitude_(config.scaling.attention_factor) {
  const double scale = double{config.scaling.position_scale};
  const YarnRamp ramp(config);
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(config.dims);
    double frequency = std::pow(double{config.base}, exponent);
    if (!factors.empty()) frequency /= double{factors[i]};
    const double kept = config.scaling.yarn ? ramp(i) : 0.0;
    frequencies_[i] = frequency * (kept + (1 - kept) * scale);
  }
}

void RopeFrequencies::Fill(size_t position, float* cosines, float* sines) const noexcept {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const double angle = static_cast<double>(position) * frequencies_[i];
    cosines[i] = static_cast<float>(std::cos(angle)) * magnitude_;
    sines[i] = static_cast<float>(std::sin(angle)) * magnitude_;
  }
}

void RopeRows::Reserve(size_t num_rows, size_t half) {
  half_ = half;
  if (table_.size() < num_rows * 2 * half) table_ = AlignedBuffer<float>(num_rows * 2 * half);
}

size_t RopeRows::Bytes(size_t num_rows, size_t half) noexcept {
  return num_rows * 2 * half * sizeof(float);
}

void RopeRows::Set(size_t row, size_t position, const RopeFrequencies& frequencies) noexcept {
  float* cosines = table_.data() + row * 2 * half_;
  frequencies.Fill(position, cosines, cosines + half_);
}

void RopeRows::Rotate(const kernels::KernelTable& kernels, RopeStyle style, size_t row,
                      size_t num_heads, size_t head_dim, float* heads) const noexcept {
  const float* cosines = table_.data() + row * 2 * half_;
  const auto rotate = style == RopeStyle::kAdjacent ? kernels.rope_normal : kernels.rope_neox;
  rotate(heads, num_heads, head_dim, cosines, cosines + half_, half_);
}

}  // namespace vade::model
