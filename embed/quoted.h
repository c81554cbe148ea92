// Quoted: a text inside a fingerprint.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

namespace vade::embed {

/// In quotes, with quotes, backslashes and control characters escaped: one line, unambiguous.
[[nodiscard]] inline std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      std::array<char, 5> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace vade::embed
