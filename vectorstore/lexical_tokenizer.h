// Words of a text as the lexical index sees them: folded, stemmed, CJK bigrams, identifiers in
// parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vade::vectorstore {

struct Token {
  std::string term;
  uint32_t begin = 0;  // byte offsets of its source in the text
  uint32_t end = 0;
  bool colocated = false;  // another form of the token before it (whole word beside its bigrams)
};

enum class TokenizeFor { kIndex, kQuery };

/// Deterministic, linear in the text. Invalid UTF-8 separates words.
[[nodiscard]] std::vector<Token> Tokenize(std::string_view text, TokenizeFor purpose);

/// True for words that carry no topic ("how", "the", "는"), in the folded form of Token::term.
[[nodiscard]] bool IsStopWord(std::string_view term);

}  // namespace vade::vectorstore
