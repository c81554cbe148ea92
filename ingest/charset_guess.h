// Statistics that tell legacy encodings apart, and the decoder they share with charset.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vade::ingest {

/// "UTF-16LE", "UTF-16BE" or "": decided by which half of the units holds zero bytes and by
/// whether the units make sense as text.
[[nodiscard]] std::string GuessUtf16(std::string_view bytes);

/// The most plausible charset of bytes that are not Unicode. Never empty.
[[nodiscard]] std::string GuessLegacyCharset(std::string_view bytes);

/// Decodes to UTF-8; each undecodable sequence becomes U+FFFD and counts in `invalid`. An unknown
/// charset yields "" and counts every byte.
[[nodiscard]] std::string DecodeAs(std::string_view bytes, const std::string& charset,
                                   uint64_t& invalid);

}  // namespace vade::ingest
