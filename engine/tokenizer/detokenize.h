// Rules for joining decoded pieces, shared by the tokenizer kinds.
#pragma once

#include <string>
#include <string_view>

namespace vade::tokenizer {

/// Every U+2581 replaced by a space.
[[nodiscard]] std::string WordStartsToSpaces(std::string_view piece);

/// English typography restored after word-wise decoding: no space before ? ! . , none around a lone
/// apostrophe, none before 's 'm 're 've.
[[nodiscard]] std::string CleanUpSpaces(std::string_view text);

}  // namespace vade::tokenizer
