// Johab (KS X 1001:1992 annex 3, code page 1361), which ICU does not carry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vade::ingest {

/// Decodes Johab to UTF-8; undecodable bytes become U+FFFD. Adds their number to `invalid`.
[[nodiscard]] std::string DecodeJohab(std::string_view bytes, uint64_t& invalid);

}  // namespace vade::ingest
