// The merges of a BPE vocabulary: which two tokens join, in which order of preference, into which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/tokenizer/merge_loop.h"
#include "engine/tokenizer/token_index.h"
#include "engine/tokenizer/vocabulary.h"

namespace vade::tokenizer {

/// Open addressing keyed by the pair of ids. Immutable, thread-safe.
class MergeTable {
 public:
  /// Reads tokenizer.ggml.merges, lines "left right", the preferred first.
  /// Errors: kCorruptData for a line without a space, or whose halves or whole are no tokens.
  [[nodiscard]] static Result<MergeTable> Load(const gguf::File& file, const Vocabulary& vocabulary,
                                               const TokenIndex& index);

  [[nodiscard]] Merge Find(TokenId left, TokenId right) const noexcept {
    const uint64_t key = Key(left, right);
    for (size_t slot = Hash(key) & mask_;; slot = (slot + 1) & mask_) {
      const Slot& entry = slots_[slot];
      if (entry.key == key) return entry.merge;
      if (entry.key == kEmpty) return {};
    }
  }

 private:
  struct Slot {
    uint64_t key;
    Merge merge;
  };
  static constexpr uint64_t kEmpty = UINT64_MAX;  // the key of two pieces that are no tokens

  static uint64_t Key(TokenId left, TokenId right) noexcept {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  static size_t Hash(uint64_t key) noexcept {
    key *= 0x9E3779B97F4A7C15u;
    return static_cast<size_t>(key ^ (key >> 32));
  }

  explicit MergeTable(size_t num_merges);
  /// The first merge of a pair stays.
  void Insert(TokenId left, TokenId right, Merge merge) noexcept;

  std::vector<Slot> slots_;  // size is a power of two, at most two thirds full
  size_t mask_;
};

}  // namespace vade::tokenizer
