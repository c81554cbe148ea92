// Citation: where a quote stands, and the proof that it stands there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "vectorstore/store.h"

namespace vade::qa {

enum class QuoteMatch : uint8_t {
  kExact,  // after NFKC and whitespace folding
  kFuzzy,  // contiguous, all but a few words; shown as such
  kAbsent,
};

[[nodiscard]] std::string_view MatchName(QuoteMatch match);  // "exact", "fuzzy", "absent"

struct Citation {
  size_t number = 0;  // the n of [n], 1-based
  vectorstore::DocumentId document = 0;
  std::string path;
  std::string title;
  std::string heading_path;
  std::string page;          // label, "iv" or "iv-v" over a page break; empty without pages
  uint32_t page_number = 0;  // of the first page; 0: no pages
  std::string quote;         // text[begin, end) of the document
  uint64_t begin = 0;
  uint64_t end = 0;
  QuoteMatch match = QuoteMatch::kAbsent;
};

/// NFKC, runs of white space as one space, trimmed. What quotes are compared in.
[[nodiscard]] std::string FoldForQuote(std::string_view text);

/// Does `quote` stand in `text`? kFuzzy needs at least 8 words and 90 % of them in one contiguous
/// stretch of equal length. Linear in the text for a bounded quote.
[[nodiscard]] QuoteMatch FindQuote(std::string_view quote, std::string_view text);

/// Reads the cited document's pages from the store again and sets `page`, `page_number` and
/// `match`. The quote must stand on the pages it names, not just somewhere in the document.
/// Errors: those of the store; a document deleted since the search is kNotFound.
[[nodiscard]] Result<void> VerifyCitation(const vectorstore::Store& store, Citation& citation);

}  // namespace vade::qa
