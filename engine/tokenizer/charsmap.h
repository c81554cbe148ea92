// SentencePiece's precompiled character map: which strings of a text are replaced by which (NFKC
// and the like), as a double-array trie inside the model file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"

namespace vade::tokenizer {

/// Layout: u32 size of the trie in bytes, the trie's u32 units, then replacements ending in NUL.
/// A unit: bits 0-7 label, 8 has a value, 9 wide offset, 10-30 offset, 31 is a value.
/// Source: the "Darts" clone that SentencePiece writes. Immutable, thread-safe.
class Charsmap {
 public:
  /// Empty when the file has none. Errors: kCorruptData for sizes that do not fit.
  [[nodiscard]] static Result<Charsmap> Load(const gguf::File& file);

  struct Match {
    size_t length = 0;  // bytes of the text; 0 where nothing is replaced
    std::string_view replacement;
  };
  /// The longest replaced prefix of `text`. Never reads outside the map, whatever it holds.
  [[nodiscard]] Match LongestPrefix(std::string_view text) const noexcept;

 private:
  [[nodiscard]] uint32_t UnitAt(size_t idx) const noexcept {
    return idx < units_.size() ? units_[idx] : 0;
  }

  std::vector<uint32_t> units_;
  std::string replacements_;  // ends in NUL
};

}  // namespace vade::tokenizer
