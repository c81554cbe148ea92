// Strict hexadecimal: a negative or long number in a hostile file names no byte (faults.md 15).
#include "engine/tokenizer/byte_tokens.h"

#include <string>

namespace vade::tokenizer {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

std::optional<uint8_t> ParseDigit(char c) noexcept {
  if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  const size_t digit = kDigits.find(c);
  if (digit == std::string_view::npos) return std::nullopt;
  return static_cast<uint8_t>(digit);
}

}  // namespace

std::optional<uint8_t> ParseByteToken(std::string_view text) noexcept {
  if (text.size() != 6 || !text.starts_with("<0x") || !text.ends_with('>')) return std::nullopt;
  const auto high = ParseDigit(text[3]);
  const auto low = ParseDigit(text[4]);
  if (!high || !low) return std::nullopt;
  return static_cast<uint8_t>(*high << 4 | *low);
}

std::array<TokenId, 256> FindByteTokens(const Vocabulary& vocabulary, const TokenIndex& index) {
  std::array<TokenId, 256> out{};
  for (size_t byte = 0; byte < out.size(); ++byte) {
    const std::string name = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    out[byte] = index.Find(vocabulary, name);
    if (out[byte] == TokenIndex::kNone) {
      out[byte] = index.Find(vocabulary, std::string(1, static_cast<char>(byte)));
    }
  }
  return out;
}

}  // namespace vade::tokenizer
