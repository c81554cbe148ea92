// GPT-2's alphabet: every byte as a printable character, so that a vocabulary of bytes is text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vade::tokenizer {

/// The character that stands for a byte: itself where printable in Latin-1, else U+0100 and up.
[[nodiscard]] char32_t CharOfByte(uint8_t byte) noexcept;

/// Each byte of `bytes` as its character, in UTF-8.
[[nodiscard]] std::string ToByteAlphabet(std::string_view bytes);

/// The bytes that `text` stands for. Characters outside the alphabet stand for themselves.
[[nodiscard]] std::string FromByteAlphabet(std::string_view text);

}  // namespace vade::tokenizer
