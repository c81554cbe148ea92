// The best k of a stream of scored positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace vade::vectorstore {

struct Scored {
  float score;
  uint32_t position;
};

/// Higher score first; equal scores by position, so that results are reproducible.
[[nodiscard]] inline bool Better(const Scored& a, const Scored& b) noexcept {
  return a.score != b.score ? a.score > b.score : a.position < b.position;
}

/// Keeps a buffer of 2k and halves it when full: amortised O(1) per candidate that gets in, one
/// comparison for each that does not.
class TopK {
 public:
  explicit TopK(size_t k);

  /// A score below this cannot get in.
  [[nodiscard]] float threshold() const noexcept { return threshold_; }

  void Add(float score, uint32_t position) {
    if (score < threshold_) return;
    kept_.push_back({score, position});
    if (kept_.size() == capacity_) Shrink();
  }

  /// The best k, best first.
  [[nodiscard]] std::vector<Scored> Take();

 private:
  void Shrink();

  size_t k_;
  size_t capacity_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Scored> kept_;
};

}  // namespace vade::vectorstore
