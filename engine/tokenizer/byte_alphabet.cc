// Both directions from one table made at compile time.
#include "engine/tokenizer/byte_alphabet.h"

#include <array>

#include "engine/base/utf8.h"

namespace vade::tokenizer {
namespace {

constexpr char32_t kFirstStandIn = 0x100;
constexpr size_t kNumChars = 0x144;  // 256 bytes, 68 of them through stand-ins

constexpr bool IsPrintable(size_t byte) noexcept {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> kChars = [] {
  std::array<char32_t, 256> table{};
  char32_t next = kFirstStandIn;
  for (size_t byte = 0; byte < 256; ++byte) {
    table[byte] = IsPrintable(byte) ? static_cast<char32_t>(byte) : next++;
  }
  return table;
}();

constexpr int16_t kNoByte = -1;
constexpr std::array<int16_t, kNumChars> kBytes = [] {
  std::array<int16_t, kNumChars> table{};
  for (int16_t& byte : table) byte = kNoByte;
  for (size_t byte = 0; byte < 256; ++byte) table[kChars[byte]] = static_cast<int16_t>(byte);
  return table;
}();

}  // namespace

char32_t CharOfByte(uint8_t byte) noexcept { return kChars[byte]; }

std::string ToByteAlphabet(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) utf8::Append(CharOfByte(static_cast<uint8_t>(c)), out);
  return out;
}

std::string FromByteAlphabet(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint c = utf8::Decode(text, at);
    const int16_t byte = c.value < kNumChars ? kBytes[c.value] : kNoByte;
    if (byte == kNoByte) {
      out += text.substr(at, c.length);
    } else {
      out.push_back(static_cast<char>(byte));
    }
    at += c.length;
  }
  return out;
}

}  // namespace vade::tokenizer
