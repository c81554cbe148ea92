// One code point at a time: class, decomposition, case.
#include "engine/tokenizer/bert_normalizer.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include <algorithm>
#include <span>

namespace vade::tokenizer {
namespace {

constexpr size_t kMaxDecomposed = 8;  // UTF-16 units; canonical decompositions have at most 4

constexpr bool IsAsciiPunctuation(char32_t c) noexcept {
  return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
         (c >= 0x7B && c <= 0x7E);
}

constexpr bool IsHan(char32_t c, bool hugging_face) noexcept {
  const char32_t extension_e = hugging_face ? 0x2B920 : 0x2B820;  // the former is a slip, kept
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= extension_e && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// General category as a mask bit. Hugging Face's tables are those of Unicode 8: to it, later
// characters are unassigned, and unassigned code points are letters.
uint32_t Category(char32_t c, bool hugging_face) noexcept {
  constexpr uint8_t kUnicode8 = 8;
  const uint32_t mask = U_MASK(u_charType(static_cast<UChar32>(c)));
  if (!hugging_face || c < 0x300) return mask;
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] > kUnicode8 ? U_GC_CN_MASK : mask;
}

bool IsMark(char32_t c, bool hugging_face) noexcept {
  return (Category(c, hugging_face) & (hugging_face ? U_GC_MN_MASK : U_GC_M_MASK)) != 0;
}

bool IsPunctuation(char32_t c, bool hugging_face) noexcept {
  return IsAsciiPunctuation(c) || (Category(c, hugging_face) & U_GC_P_MASK) != 0;
}

bool IsControl(char32_t c, bool hugging_face) noexcept {
  return (Category(c, hugging_face) &
          (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK)) != 0;
}

// Canonical decomposition; the code point itself when it has none. Returns the count.
size_t Decompose(char32_t c, char32_t (&out)[kMaxDecomposed]) noexcept {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfd = unorm2_getNFDInstance(&status);  // a shared, immutable singleton
  UChar units[kMaxDecomposed];
  const int32_t size = U_SUCCESS(status) ? unorm2_getDecomposition(nfd, static_cast<UChar32>(c),
                                                                   units, kMaxDecomposed, &status)
                                         : -1;
  if (size < 0 || U_FAILURE(status)) {
    out[0] = c;
    return 1;
  }
  size_t count = 0;
  for (int32_t i = 0; i < size;) {
    UChar32 next = 0;
    U16_NEXT(units, i, size, next);
    out[count++] = static_cast<char32_t>(next);
  }
  return count;
}

CleanChar Make(CleanChar::Kind kind, std::span<const char32_t> code_points) {
  std::string text;
  for (const char32_t c : code_points) utf8::Append(c, text);
  CleanChar out;
  out.kind = kind;
  out.size = static_cast<uint8_t>(text.copy(out.text, sizeof out.text));
  return out;
}

}  // namespace

BertNormalizer::BertNormalizer(const BertNormalizerOptions& options) : options_(options) {
  for (char32_t c = 0; c < ascii_.size(); ++c) ascii_[c] = Clean(c);
}

CleanChar BertNormalizer::Clean(char32_t c) const {
  using Kind = CleanChar::Kind;
  const bool hf = options_.hugging_face;
  const bool plain_space = c == '\t' || c == '\n' || c == '\r';
  if (c == 0 || c == utf8::kReplacement) return {};
  if (hf && !plain_space && IsControl(c, hf)) return {};
  if (u_isUWhiteSpace(static_cast<UChar32>(c))) return {.kind = Kind::kSpace};
  if (IsControl(c, hf)) return {};

  char32_t parts[kMaxDecomposed] = {c};
  size_t count = 1;
  bool alone = IsHan(c, hf);
  if (options_.strip_accents) {
    const auto is_mark = [&](char32_t part) { return IsMark(part, hf); };
    count = Decompose(c, parts);
    if (!hf) count = 1;
    count = static_cast<size_t>(std::remove_if(parts, parts + count, is_mark) - parts);
    if (count == 0) return {};
  }
  if (count == 1) alone = alone || IsPunctuation(parts[0], hf) || IsHan(parts[0], hf);
  if (options_.lowercase) {
    for (size_t i = 0; i < count; ++i) {
      parts[i] = static_cast<char32_t>(u_tolower(static_cast<UChar32>(parts[i])));
    }
  }
  return Make(alone ? Kind::kAlone : Kind::kLetter, std::span(parts, count));
}

}  // namespace vade::tokenizer
