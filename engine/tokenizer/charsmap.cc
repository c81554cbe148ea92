// Bounds are checked at every step instead of validating the trie as a whole.
#include "engine/tokenizer/charsmap.h"

#include <cstring>
#include <string>
#include <vector>

namespace vade::tokenizer {
namespace {

constexpr std::string_view kKey = "tokenizer.ggml.precompiled_charsmap";

constexpr uint32_t OffsetOf(uint32_t unit) noexcept {
  return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}
constexpr uint32_t LabelOf(uint32_t unit) noexcept { return unit & (1u << 31 | 0xFF); }
constexpr bool HasValue(uint32_t unit) noexcept { return (unit >> 8 & 1) != 0; }
constexpr uint32_t ValueOf(uint32_t unit) noexcept { return unit & ~(1u << 31); }

// Writers disagree on the sign of a byte.
Result<std::vector<uint8_t>> LoadBytes(const gguf::File& file) {
  const gguf::KeyValue* entry = file.FindKey(kKey);
  if (entry == nullptr) return std::vector<uint8_t>();
  if (const auto bytes = entry->value.AsArray<int8_t>()) {
    return std::vector<uint8_t>(bytes->begin(), bytes->end());
  }
  return file.RequireArray<uint8_t>(kKey);
}

}  // namespace

Result<Charsmap> Charsmap::Load(const gguf::File& file) {
  VADE_TRY(const std::vector<uint8_t> bytes, LoadBytes(file));
  Charsmap out;
  if (bytes.empty()) return out;
  uint32_t trie_bytes = 0;
  if (bytes.size() >= sizeof(trie_bytes))
    std::memcpy(&trie_bytes, bytes.data(), sizeof(trie_bytes));
  if (bytes.size() <= sizeof(trie_bytes) || trie_bytes >= bytes.size() - sizeof(trie_bytes) ||
      trie_bytes % sizeof(uint32_t) != 0) {
    return file.KeyError(kKey, "a trie of " + std::to_string(trie_bytes) + " bytes does not fit " +
                                   std::to_string(bytes.size()) + " bytes");
  }
  if (bytes.back() != 0) return file.KeyError(kKey, "the last replacement does not end");
  out.units_.resize(trie_bytes / sizeof(uint32_t));
  std::memcpy(out.units_.data(), bytes.data() + sizeof(trie_bytes), trie_bytes);
  out.replacements_.assign(bytes.begin() + static_cast<ptrdiff_t>(sizeof(trie_bytes) + trie_bytes),
                           bytes.end());
  return out;
}

Charsmap::Match Charsmap::LongestPrefix(std::string_view text) const noexcept {
  Match best;
  uint32_t node = OffsetOf(UnitAt(0));
  for (size_t i = 0; i < text.size() && !units_.empty(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte == 0) break;
    node ^= byte;
    const uint32_t unit = UnitAt(node);
    if (LabelOf(unit) != byte) break;
    node ^= OffsetOf(unit);
    if (!HasValue(unit)) continue;
    const uint32_t value = ValueOf(UnitAt(node));
    if (value >= replacements_.size()) continue;
    best.length = i + 1;
    best.replacement = replacements_.c_str() + value;  // up to its NUL
  }
  return best;
}

}  // namespace vade::tokenizer
