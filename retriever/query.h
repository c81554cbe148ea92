// Query understanding without a model: identifiers, and a shortened form for the embedder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "embed/embedder.h"

namespace vade::retriever {

/// One identifier as it stands in a text.
struct Identifier {
  std::string key;   // folded: ASCII lower case, no dashes or underscores ("E-204" -> "e204")
  size_t begin = 0;  // byte offsets of its source
  size_t end = 0;
};

/// Error codes, part and model numbers, names with underscores: "E-204", "KX100B", "12-34567",
/// "max_flow". Quantities ("8 bar", "2.4GHz", "24-hour", "220-240V", "1999-2004") are not
/// identifiers. Deterministic, linear; invalid UTF-8 separates.
[[nodiscard]] std::vector<Identifier> FindIdentifiers(std::string_view text);

/// The distinct keys of FindIdentifiers, in order of appearance.
[[nodiscard]] std::vector<std::string> IdentifierKeys(std::string_view text);

/// A question cut to what the embedder takes.
struct FittedQuestion {
  std::string_view text;  // a prefix of the question, ending between words where possible
  size_t tokens = 0;      // of the whole question, or a lower bound when it was cut
  bool shortened = false;
};

/// Longest prefix of `question` that fits `embedder`; finds it in O(log n) token counts.
[[nodiscard]] FittedQuestion FitToEmbedder(std::string_view question,
                                           const embed::Embedder& embedder);

}  // namespace vade::retriever
