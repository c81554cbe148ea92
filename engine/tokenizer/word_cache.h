// Remembers the tokens of short words within one text: a few thousand words make up most of it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace vade::tokenizer {

/// Direct-mapped: a word evicts the one in its place. Disabled until Enable. Single-thread.
class WordCache {
 public:
  void Enable() { entries_.resize(kNumEntries); }

  /// Appends the tokens of `word` if they are known.
  [[nodiscard]] bool Append(std::string_view word, std::vector<TokenId>& out) const {
    if (entries_.empty() || word.empty() || word.size() > kMaxBytes) return false;
    const Key key = KeyOf(word);
    const Entry& entry = entries_[SlotOf(key)];
    if (entry.key != key || entry.num_bytes != word.size()) return false;
    out.insert(out.end(), entry.ids.begin(), entry.ids.begin() + entry.num_ids);
    return true;
  }

  void Insert(std::string_view word, std::span<const TokenId> ids) {
    if (entries_.empty() || word.empty() || word.size() > kMaxBytes || ids.size() > kMaxIds) return;
    const Key key = KeyOf(word);
    Entry& entry = entries_[SlotOf(key)];
    entry.key = key;
    entry.num_bytes = static_cast<uint8_t>(word.size());
    entry.num_ids = static_cast<uint8_t>(ids.size());
    std::copy(ids.begin(), ids.end(), entry.ids.begin());
  }

 private:
  static constexpr size_t kNumEntries = 8192;  // 320 KiB: stays in the second-level cache
  static constexpr size_t kMaxBytes = 16;
  static constexpr size_t kMaxIds = 4;

  using Key = std::array<uint64_t, 2>;
  struct Entry {
    Key key{};
    std::array<TokenId, kMaxIds> ids{};
    uint8_t num_bytes = 0;  // 0: empty
    uint8_t num_ids = 0;
  };

  static Key KeyOf(std::string_view word) noexcept {
    Key key{};
    std::memcpy(key.data(), word.data(), word.size());
    return key;
  }
  static size_t SlotOf(const Key& key) noexcept {
    const uint64_t hash = (key[0] ^ std::rotl(key[1], 29)) * 0x9E3779B97F4A7C15u;
    return static_cast<size_t>(hash >> 51);
  }
  static_assert(kNumEntries == size_t{1} << (64 - 51));

  std::vector<Entry> entries_;
};

}  // namespace vade::tokenizer
