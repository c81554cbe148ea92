// Sequences whose replies have been written, kept for prompts that begin like them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <vector>

#include "engine/decoder_engine.h"

namespace vade::engine {

/// Tokens that two texts have in common at their beginning.
[[nodiscard]] size_t CommonPrefix(std::span<const TokenId> a, std::span<const TokenId> b) noexcept;

/// Single-thread; owns its sequences. The engine must outlive it.
class PrefixCache {
 public:
  static constexpr size_t kMaxKept = 64;  // each is compared with each new prompt

  struct Kept {
    SequenceId sequence = 0;
    std::vector<TokenId> tokens;
  };

  explicit PrefixCache(DecoderEngine& engine) : engine_(engine) {}
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  /// Keeps a sequence as the one used last; one that it continues is dropped for it.
  void Keep(Kept kept);
  /// The one with the longest common beginning; null if there is none at all.
  [[nodiscard]] const Kept* Find(std::span<const TokenId> prompt) const;
  /// Marks it as used last.
  void Touch(const Kept& kept);
  /// Gives it away.
  [[nodiscard]] Kept Take(const Kept& kept);
  /// Drops the one used longest ago, other than `except` (may be null). False if there is none.
  bool DropOldest(const Kept* except);

 private:
  DecoderEngine& engine_;
  std::list<Kept> kept_;  // the last used first
};

}  // namespace vade::engine
