// Finds the token of exactly a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/tokenizer/vocabulary.h"

namespace vade::tokenizer {

/// Open addressing over the ids; the texts stay in the vocabulary. Thread-safe. Control and unknown
/// tokens are left out: no text becomes one by being merged (faults.md 20). Of equal texts the
/// first counts.
class TokenIndex {
 public:
  static constexpr TokenId kNone = -1;

  explicit TokenIndex(const Vocabulary& vocabulary);

  /// kNone when there is none. `vocabulary` is the one the index was made of.
  [[nodiscard]] TokenId Find(const Vocabulary& vocabulary, std::string_view text) const noexcept {
    for (size_t slot = Hash(text) & mask_;; slot = (slot + 1) & mask_) {
      const TokenId id = slots_[slot];
      if (id == kNone || vocabulary.text(id) == text) return id;
    }
  }

 private:
  static size_t Hash(std::string_view text) noexcept;

  std::vector<TokenId> slots_;  // size is a power of two, at most half full
  size_t mask_ = 0;
};

}  // namespace vade::tokenizer
