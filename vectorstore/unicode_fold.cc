#include "vectorstore/unicode_fold.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include <array>

#include "engine/base/utf8.h"

namespace vade::vectorstore {
namespace {

constexpr bool Within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

const UNormalizer2* CaseFolder() noexcept {
  UErrorCode status = U_ZERO_ERROR;
  return unorm2_getNFKCCasefoldInstance(&status);  // ICU's own singleton
}

const UNormalizer2* Decomposer() noexcept {
  UErrorCode status = U_ZERO_ERROR;
  return unorm2_getNFDInstance(&status);
}

const UNormalizer2* Composer() noexcept {
  UErrorCode status = U_ZERO_ERROR;
  return unorm2_getNFCInstance(&status);
}

bool IsHangul(char32_t c) noexcept {
  return Within(c, 0xAC00, 0xD7FF) || Within(c, 0x1100, 0x11FF) || Within(c, 0x3130, 0x318F) ||
         Within(c, 0xA960, 0xA97F) || Within(c, 0xFFA1, 0xFFDC);
}

bool IsHanKana(char32_t c) noexcept {
  if (c == 0x30FB || c == 0x30A0 || c == 0x303D) return false;  // punctuation among kana
  return Within(c, 0x3041, 0x30FF) || Within(c, 0x3400, 0x4DBF) || Within(c, 0x4E00, 0x9FFF) ||
         Within(c, 0xF900, 0xFAFF) || Within(c, 0x20000, 0x3FFFF) || Within(c, 0x31F0, 0x31FF) ||
         Within(c, 0xFF66, 0xFF9F) || c == 0x3005 || c == 0x3007;
}

// Marks that accent a letter; marks of scripts that write vowels with them are kept.
bool IsAccent(char32_t c) noexcept {
  return Within(c, 0x0300, 0x036F) || Within(c, 0x1AB0, 0x1AFF) || Within(c, 0x1DC0, 0x1DFF) ||
         Within(c, 0x20D0, 0x20FF) || Within(c, 0xFE20, 0xFE2F);
}

// At most 18 code points come from one (U+FDFA); NFD of those at most doubles them.
struct Utf16Buffer {
  std::array<UChar, 64> units{};
  int32_t length = 0;
};

Utf16Buffer Normalized(const UNormalizer2* normalizer, const UChar* text, int32_t length) noexcept {
  Utf16Buffer out;
  UErrorCode status = U_ZERO_ERROR;
  out.length = unorm2_normalize(normalizer, text, length, out.units.data(),
                                static_cast<int32_t>(out.units.size()), &status);
  if (U_FAILURE(status)) out.length = 0;
  return out;
}

Utf16Buffer CaseFolded(char32_t code_point) noexcept {
  std::array<UChar, 2> source{};
  int32_t length = 0;
  U16_APPEND_UNSAFE(source.data(), length, static_cast<UChar32>(code_point));
  return Normalized(CaseFolder(), source.data(), length);
}

}  // namespace

CharClass ClassOf(char32_t c) noexcept {
  if (c < 0x80) {
    const bool alphanumeric = Within(c, '0', '9') || Within(c, 'a', 'z') || Within(c, 'A', 'Z');
    return alphanumeric ? CharClass::kWord : CharClass::kSeparator;
  }
  if (IsHangul(c)) return CharClass::kHangul;
  if (IsHanKana(c)) return CharClass::kHanKana;
  const auto point = static_cast<UChar32>(c);
  const uint32_t category = U_GET_GC_MASK(point);
  if ((category & U_GC_CF_MASK) != 0 ||
      u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) {
    return CharClass::kIgnorable;
  }
  if ((category & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK)) == 0) return CharClass::kSeparator;
  if (u_getIntPropertyValue(point, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT) {
    return CharClass::kUnspaced;
  }
  return CharClass::kWord;
}

void AppendFolded(char32_t c, std::string& out) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(Within(c, 'A', 'Z') ? c + ('a' - 'A') : c));
    return;
  }
  const Utf16Buffer folded = CaseFolded(c);
  const Utf16Buffer parts = Normalized(Decomposer(), folded.units.data(), folded.length);
  for (int32_t i = 0; i < parts.length;) {
    UChar32 part = 0;
    U16_NEXT(parts.units.data(), i, parts.length, part);
    if (!IsAccent(static_cast<char32_t>(part)) && !U_IS_SURROGATE(part)) {
      utf8::Append(static_cast<char32_t>(part), out);
    }
  }
}

char32_t FoldCjk(char32_t c) noexcept {
  if (Within(c, 0xAC00, 0xD7A3) || Within(c, 0x4E00, 0x9FFF) || Within(c, 0x3130, 0x318F)) return c;
  const Utf16Buffer folded = CaseFolded(c);
  if (folded.length == 0) return c;
  int32_t at = 0;
  UChar32 first = 0;
  U16_NEXT(folded.units.data(), at, folded.length, first);
  return at == folded.length ? static_cast<char32_t>(first) : c;
}

char32_t Compose(char32_t first, char32_t second) noexcept {
  const UChar32 composed =
      unorm2_composePair(Composer(), static_cast<UChar32>(first), static_cast<UChar32>(second));
  return composed < 0 ? 0 : static_cast<char32_t>(composed);
}

}  // namespace vade::vectorstore
