// Construction and the hash.
#include "engine/tokenizer/token_index.h"

#include <bit>
#include <cstring>

namespace vade::tokenizer {

size_t TokenIndex::Hash(std::string_view text) noexcept {
  constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
  uint64_t hash = text.size();
  while (text.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof(word));
    hash = (std::rotl(hash, 23) ^ word) * kMultiplier;
    text.remove_prefix(sizeof(word));
  }
  uint64_t rest = 0;
  std::memcpy(&rest, text.data(), text.size());
  hash = (std::rotl(hash, 23) ^ rest) * kMultiplier;
  return static_cast<size_t>(hash ^ (hash >> 32));
}

TokenIndex::TokenIndex(const Vocabulary& vocabulary)
    : slots_(std::bit_ceil(2 * vocabulary.size() + 2), kNone), mask_(slots_.size() - 1) {
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const TokenType type = vocabulary.type(id);
    if (type == TokenType::kControl || type == TokenType::kUnknown) continue;
    const std::string_view text = vocabulary.text(id);
    size_t slot = Hash(text) & mask_;
    while (slots_[slot] != kNone && vocabulary.text(slots_[slot]) != text) {
      slot = (slot + 1) & mask_;
    }
    if (slots_[slot] == kNone) slots_[slot] = id;
  }
}

}  // namespace vade::tokenizer
