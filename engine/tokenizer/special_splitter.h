// Finds control tokens written out in a text ("[SEP]", "<|im_end|>").
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "engine/tokenizer/trie.h"
#include "engine/tokenizer/vocabulary.h"

namespace vade::tokenizer {

/// A stretch of ordinary text, or one special token (id >= 0).
struct Fragment {
  std::string_view text;
  TokenId id = -1;
};

/// Leftmost, then longest match; linear in the text. Thread-safe.
class SpecialSplitter {
 public:
  explicit SpecialSplitter(const Vocabulary& vocabulary) : SpecialSplitter(vocabulary, {}, {}) {}
  /// ASCII white space before a token of `strips_left`, or after one of `strips_right`, goes with
  /// the token. Both sorted.
  SpecialSplitter(const Vocabulary& vocabulary, std::vector<TokenId> strips_left,
                  std::vector<TokenId> strips_right);

  /// parse_special false finds user-defined tokens only: those are always tokens.
  [[nodiscard]] std::vector<Fragment> Split(std::string_view text, bool parse_special) const;

 private:
  struct Set {
    Trie trie;
    std::array<bool, 256> starts{};  // first bytes of the keys
    bool empty = true;
    void Insert(std::string_view text, TokenId id);
  };
  Set all_;
  Set user_defined_;
  std::vector<TokenId> strips_left_;
  std::vector<TokenId> strips_right_;
};

}  // namespace vade::tokenizer
