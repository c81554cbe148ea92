// A set of token ids, one bit each: what a grammar allows next.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace vade::runtime {

using tokenizer::TokenId;

class TokenMask {
 public:
  explicit TokenMask(size_t vocab_size) : words_((vocab_size + 63) / 64), size_(vocab_size) {}

  /// REQUIRES 0 <= id < size().
  void Set(TokenId id) noexcept {
    words_[static_cast<size_t>(id) / 64] |= uint64_t{1} << (static_cast<size_t>(id) % 64);
  }
  [[nodiscard]] bool Test(TokenId id) const noexcept {
    const auto at = static_cast<size_t>(id);
    return at < size_ && (words_[at / 64] >> (at % 64) & 1) != 0;
  }
  [[nodiscard]] size_t Count() const noexcept {
    size_t count = 0;
    for (const uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
    return count;
  }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  /// Bit i of word w stands for id 64 * w + i; bits past size() are 0.
  [[nodiscard]] std::span<const uint64_t> words() const noexcept { return words_; }

 private:
  std::vector<uint64_t> words_;
  size_t size_;
};

}  // namespace vade::runtime
