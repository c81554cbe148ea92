// What one code point means for the lexical index: its class, and its form without case, width and
// accents.
#pragma once

#include <cstdint>
#include <string>

namespace vade::vectorstore {

enum class CharClass : uint8_t {
  kSeparator,  // punctuation, spaces, symbols
  kIgnorable,  // soft hyphen, zero-width characters: as if they were not there
  kWord,       // letters, digits and marks of scripts that put spaces between words
  kHangul,
  kHanKana,   // Han, Hiragana, Katakana
  kUnspaced,  // Thai, Lao, Khmer, Myanmar
};

[[nodiscard]] CharClass ClassOf(char32_t code_point) noexcept;

/// Appends NFKC-casefolded `code_point` without combining accents as UTF-8; may append nothing.
void AppendFolded(char32_t code_point, std::string& out);

/// The CJK form: width and compatibility folded, never decomposed. One code point to one.
[[nodiscard]] char32_t FoldCjk(char32_t code_point) noexcept;

/// The composition of two adjacent code points (jamo to syllables, kana with voicing mark), or 0.
[[nodiscard]] char32_t Compose(char32_t first, char32_t second) noexcept;

}  // namespace vade::vectorstore
