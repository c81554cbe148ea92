// What the text extractors do with a file besides its format: fallback title, notes on its charset.
#pragma once

#include <string>
#include <string_view>

#include "ingest/charset.h"
#include "ingest/document.h"

namespace vade::ingest {

/// The name without its last extension: the title of a document that has none.
[[nodiscard]] std::string FileStem(std::string_view file_name);

/// "charset guessed: CP949", "3 invalid byte sequences replaced".
void AddCharsetNotes(const DecodedText& decoded, Document& document);

}  // namespace vade::ingest
