// Which tokens of a vocabulary have a role: begin, end, end of a turn, and what a model's maker
// forgot to write down about them.
#pragma once

#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/vocabulary.h"

namespace vade::tokenizer {

struct SpecialRoles {
  SpecialIds ids;
  std::vector<TokenId> ends;  // sorted: generation is over at one of these
  // White space beside these tokens belongs to them and vanishes. Sorted.
  std::vector<TokenId> strips_left;
  std::vector<TokenId> strips_right;
};

/// Reads the ids, `defaults` for absent keys. Tokens whose name says that they are control tokens
/// ("<|im_end|>") are marked as such in `vocabulary`, whatever type the file gives them.
/// Errors: kCorruptData for an id outside the vocabulary.
[[nodiscard]] Result<SpecialRoles> LoadSpecialRoles(const gguf::File& file,
                                                    const SpecialIds& defaults,
                                                    Vocabulary& vocabulary);

}  // namespace vade::tokenizer
