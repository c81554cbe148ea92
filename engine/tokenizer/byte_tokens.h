// Byte tokens "<0x00>" ... "<0xFF>": what SentencePiece writes for characters it has no token for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/tokenizer/token_index.h"

namespace vade::tokenizer {

/// The byte that "<0xNN>" names, nothing for any other text.
[[nodiscard]] std::optional<uint8_t> ParseByteToken(std::string_view text) noexcept;

/// The token of each byte: "<0xNN>", or the byte itself, or kNone.
[[nodiscard]] std::array<TokenId, 256> FindByteTokens(const Vocabulary& vocabulary,
                                                      const TokenIndex& index);

}  // namespace vade::tokenizer
