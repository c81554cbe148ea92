// Tokens one at a time into text that is valid UTF-8 at every moment.
#pragma once

#include <string>
#include <string_view>

#include "engine/tokenizer/tokenizer.h"

namespace vade::tokenizer {

/// A token may end inside a character; what is incomplete is held back until it is whole. Control
/// tokens give nothing. Single-thread; the tokenizer must outlive it.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// The text that has become certain: bytes that can be no character are U+FFFD.
  [[nodiscard]] std::string Push(TokenId id);

  /// What is held back, repaired; call at the end.
  [[nodiscard]] std::string Finish();

 private:
  const Tokenizer& tokenizer_;
  std::string held_;  // at most 3 bytes between calls
};

}  // namespace vade::tokenizer
