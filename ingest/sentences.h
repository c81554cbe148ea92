// Where sentences and clauses end: English, Korean and CJK punctuation, without a dictionary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vade::ingest {

/// End of the sentence that begins at `begin`: behind its closing punctuation and quotes, or the
/// end of the line or text. Abbreviations ("e.g.", "Fig. 3", "J. Smith"), decimals and a leading
/// "1." do not end one. REQUIRES begin < text.size(); returns > begin.
[[nodiscard]] size_t SentenceEnd(std::string_view text, size_t begin);

/// The same for clauses: also ends behind commas, semicolons, colons and closing brackets.
[[nodiscard]] size_t ClauseEnd(std::string_view text, size_t begin);

}  // namespace vade::ingest
