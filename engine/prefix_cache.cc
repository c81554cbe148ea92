#include "engine/prefix_cache.h"

#include <algorithm>
#include <utility>

namespace vade::engine {

size_t CommonPrefix(std::span<const TokenId> a, std::span<const TokenId> b) noexcept {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

PrefixCache::~PrefixCache() {
  for (const Kept& kept : kept_) engine_.Remove(kept.sequence);
}

void PrefixCache::Keep(Kept kept) {
  std::erase_if(kept_, [&](const Kept& other) {
    const bool continued = CommonPrefix(other.tokens, kept.tokens) == other.tokens.size();
    if (continued) engine_.Remove(other.sequence);
    return continued;
  });
  kept_.push_front(std::move(kept));
  if (kept_.size() > kMaxKept) DropOldest(nullptr);
}

const PrefixCache::Kept* PrefixCache::Find(std::span<const TokenId> prompt) const {
  const Kept* best = nullptr;
  size_t longest = 0;
  for (const Kept& kept : kept_) {
    const size_t common = CommonPrefix(kept.tokens, prompt);
    if (common <= longest) continue;
    longest = common;
    best = &kept;
  }
  return best;
}

void PrefixCache::Touch(const Kept& kept) {
  const auto at = std::ranges::find_if(kept_, [&](const Kept& other) { return &other == &kept; });
  kept_.splice(kept_.begin(), kept_, at);
}

PrefixCache::Kept PrefixCache::Take(const Kept& kept) {
  const auto at = std::ranges::find_if(kept_, [&](const Kept& other) { return &other == &kept; });
  Kept taken = std::move(*at);
  kept_.erase(at);
  return taken;
}

bool PrefixCache::DropOldest(const Kept* except) {
  for (auto at = kept_.rbegin(); at != kept_.rend(); ++at) {
    if (&*at == except) continue;
    engine_.Remove(at->sequence);
    kept_.erase(std::next(at).base());
    return true;
  }
  return false;
}

}  // namespace vade::engine
