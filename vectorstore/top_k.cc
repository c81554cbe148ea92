#include "vectorstore/top_k.h"

#include <algorithm>

namespace vade::vectorstore {

TopK::TopK(size_t k) : k_(std::max<size_t>(k, 1)), capacity_(2 * k_ + 64) {}

void TopK::Shrink() {
  const auto kth = kept_.begin() + static_cast<ptrdiff_t>(k_ - 1);
  std::nth_element(kept_.begin(), kth, kept_.end(), Better);
  threshold_ = kth->score;
  kept_.resize(k_);
}

std::vector<Scored> TopK::Take() {
  std::sort(kept_.begin(), kept_.end(), Better);
  if (kept_.size() > k_) kept_.resize(k_);
  return std::move(kept_);
}

}  // namespace vade::vectorstore
