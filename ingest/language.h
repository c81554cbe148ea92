// Main language of a text, by script and by its most frequent words. A hint, not a promise.
#pragma once

#include <string>
#include <string_view>

namespace vade::ingest {

/// BCP 47 primary tag ("en", "ko", "de", "ja", ...), or "" when the text is too short or unclear.
/// Looks at samples of at most 64 KiB in all. REQUIRES valid UTF-8.
[[nodiscard]] std::string GuessLanguage(std::string_view text);

}  // namespace vade::ingest
