// What pre-tokenizers ask about a code point, as bits: \p{L}, \s, [0-9] and the character lists
// that single models use.
#pragma once

#include <cstdint>

namespace vade::tokenizer {

enum CharFeature : uint32_t {
  kAnyChar = 1u << 0,  // every code point, assigned or not
  kLetter = 1u << 1,   // \p{L}
  kNumber = 1u << 2,   // \p{N}
  kMark = 1u << 3,     // \p{M}
  kPunctuation = 1u << 4,
  kSymbol = 1u << 5,
  kWhiteSpace = 1u << 6,         // \s: White_Space
  kLineBreak = 1u << 7,          // [\r\n]
  kNewline = 1u << 8,            // \n
  kBlank = 1u << 9,              // U+0020
  kSlash = 1u << 10,             // /
  kAsciiLower = 1u << 11,        // [a-z]
  kAsciiUpper = 1u << 12,        // [A-Z]
  kAsciiDigit = 1u << 13,        // [0-9]
  kAsciiPunctuation = 1u << 14,  // the ASCII characters of \p{P} and \p{S}
  kOperator = 1u << 15,          // [$+<=>^~|]
  kBacktick = 1u << 16,          // `
  // Lists of single models; looked up only where asked for.
  kSentenceEnd = 1u << 17,        // bloom: [()|.,!?] and their like in other scripts
  kHanOrKana = 1u << 18,          // deepseek-v3
  kDeepSeekCjk = 1u << 19,        // deepseek-coder, deepseek-llm
  kDeepSeekLetter = 1u << 20,     // deepseek-llm: cased letters of an older Unicode
  kDeepSeekPrintable = 1u << 21,  // deepseek-llm: ASCII but digits, and wide punctuation
};

/// The bits of `c`. Those of kSentenceEnd and above may be missing when they are not in `wanted`.
/// Source: Unicode 15.1; the lists: the models' published tokenizer.json.
[[nodiscard]] uint32_t FeaturesOf(char32_t c, uint32_t wanted) noexcept;

}  // namespace vade::tokenizer
