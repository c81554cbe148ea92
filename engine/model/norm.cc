#include "engine/model/norm.h"

#include <array>
#include <cmath>

namespace vade::model {
namespace {

constexpr size_t kLanes = 16;  // independent sums, which the compiler keeps in vector registers

}  // namespace

float Dot(const float* x, const float* y, size_t n) noexcept {
  std::array<float, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * y[i + lane];
  }
  for (; i < n; ++i) sums[i % kLanes] += x[i] * y[i];
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

void Normalize(const kernels::KernelTable& kernels, NormKind kind, const float* x,
               const float* weight, const float* bias, float eps, size_t n, float* y) noexcept {
  if (kind == NormKind::kLayer) return kernels.layer_norm(x, weight, bias, eps, n, y);
  const float mean_square = Dot(x, x, n) / static_cast<float>(n);
  const float scale = 1.0f / std::sqrt(mean_square + eps);
  for (size_t i = 0; i < n; ++i) y[i] = x[i] * scale * weight[i];
}

}  // namespace vade::model
