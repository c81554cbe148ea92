// Plain decoding, one digit at a time.
#include "tests/support/base64.h"

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace vade::testing {

std::vector<std::byte> DecodeBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::byte> out;
  uint32_t bits = 0;
  int num_bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) throw std::invalid_argument("not base64");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    num_bits += 6;
    if (num_bits >= 8) {
      num_bits -= 8;
      out.push_back(static_cast<std::byte>(bits >> num_bits & 0xFF));
    }
  }
  return out;
}

std::vector<float> DecodeBase64Floats(std::string_view text) {
  const std::vector<std::byte> bytes = DecodeBase64(text);
  std::vector<float> out(bytes.size() / sizeof(float));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}

}  // namespace vade::testing
