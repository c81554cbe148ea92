// Splits text into the pieces inside which BPE merges, as the regular expressions published with
// each model do. Not a regular expression engine: the few shapes that occur, in linear time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/tokenizer/char_features.h"

namespace vade::tokenizer {

/// A set of characters: one of `any`, and none of `none` (CharFeature bits).
struct CharSet {
  uint32_t any = 0;
  uint32_t none = 0;
};

/// `set` repeated min to max times, as often as possible.
struct Repeat {
  CharSet set;
  uint32_t min = 1;
  uint32_t max = 1;
};

/// One branch of an expression. The parts match one after the other, with backtracking.
struct Branch {
  enum class Kind : uint8_t { kParts, kContraction, kAnyCaseContraction };
  enum class Tail : uint8_t {
    kNone,
    kNotBeforeText,     // (?!\S)
    kMaybeContraction,  // (?i:'s|'t|'re|'ve|'m|'ll|'d)?
  };
  Kind kind = Kind::kParts;
  Tail tail = Tail::kNone;
  uint8_t num_parts = 0;
  std::array<Repeat, 3> parts{};
};

/// One expression: where a branch matches, the match is a piece; what lies between is one, too.
struct SplitRule {
  enum class Kind : uint8_t { kSearch, kTrailingSpace };  // kTrailingSpace: \s+$
  Kind kind = Kind::kSearch;
  std::span<const Branch> branches;  // the first that matches counts
};

/// What the name under tokenizer.ggml.pre stands for. Static data.
struct PreTokenizer {
  std::span<const SplitRule> rules;  // each splits the pieces of the one before
  bool whole_words = false;          // a piece that is a token is not merged ("ignore_merges")
  bool add_bos = false;              // where the file does not say
  bool clean_up_spaces = true;       // when decoding
  bool byte_level = true;            // false: SentencePiece's alphabet, U+2581 for a space

  /// The named one, or nullptr.
  [[nodiscard]] static const PreTokenizer* Find(std::string_view name) noexcept;

  /// The end of each piece, as a byte offset, in order. REQUIRES valid UTF-8.
  [[nodiscard]] std::vector<size_t> Split(std::string_view text) const;
};

}  // namespace vade::tokenizer
