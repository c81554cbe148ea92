// A Johab Hangul is 16 bits: 1, then five bits each for initial, medial and final jamo, so any of
// the 11,172 syllables is arithmetic. Symbols and Hanja are KS X 1001 rows under another address;
// they are rewritten to EUC-KR and decoded by ICU.
#include "ingest/johab.h"

#include <unicode/ucnv.h>

#include <array>
#include <optional>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

constexpr int8_t kNone = -1;  // not assigned
constexpr int8_t kFill = -2;  // the filler code: this jamo is absent

constexpr std::array<int8_t, 32> kInitial = {
    kNone, kFill, 0,     1,     2,     3,     4,     5,     6,     7,    8,
    9,     10,    11,    12,    13,    14,    15,    16,    17,    18,   kNone,
    kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone};
constexpr std::array<int8_t, 32> kMedial = {
    kNone, kNone, kFill, 0,  1,  2,  3,  4,  kNone, kNone, 5,  6,  7,  8,  9,     10,
    kNone, kNone, 11,    12, 13, 14, 15, 16, kNone, kNone, 17, 18, 19, 20, kNone, kNone};
constexpr std::array<int8_t, 32> kFinal = {kNone, kFill, 1,  2,  3,  4,  5,  6,     7,     8,    9,
                                           10,    11,    12, 13, 14, 15, 16, kNone, 17,    18,   19,
                                           20,    21,    22, 23, 24, 25, 26, 27,    kNone, kNone};

// Compatibility jamo (U+3131...) of a lone initial or final, by index.
constexpr std::array<char16_t, 19> kInitialJamo = {
    0x3131, 0x3132, 0x3134, 0x3137, 0x3138, 0x3139, 0x3141, 0x3142, 0x3143, 0x3145,
    0x3146, 0x3147, 0x3148, 0x3149, 0x314A, 0x314B, 0x314C, 0x314D, 0x314E};
constexpr std::array<char16_t, 28> kFinalJamo = {
    0,      0x3131, 0x3132, 0x3133, 0x3134, 0x3135, 0x3136, 0x3137, 0x3139, 0x313A,
    0x313B, 0x313C, 0x313D, 0x313E, 0x313F, 0x3140, 0x3141, 0x3142, 0x3144, 0x3145,
    0x3146, 0x3147, 0x3148, 0x314A, 0x314B, 0x314C, 0x314D, 0x314E};

std::optional<char32_t> Hangul(uint32_t code) {
  const int initial = kInitial[code >> 10 & 31];
  const int medial = kMedial[code >> 5 & 31];
  const int final = kFinal[code & 31];
  if (initial == kNone || medial == kNone || final == kNone) return std::nullopt;
  if (initial >= 0 && medial >= 0) {
    const int tail = final == kFill ? 0 : final;
    return static_cast<char32_t>(0xAC00 + (initial * 21 + medial) * 28 + tail);
  }
  if (initial >= 0 && final == kFill) return kInitialJamo[static_cast<size_t>(initial)];
  if (medial >= 0 && final == kFill) return static_cast<char32_t>(0x314F + medial);
  if (final > 0 && medial == kFill) return kFinalJamo[static_cast<size_t>(final)];
  return std::nullopt;
}

// Lead 0xD9-0xDE (symbols) or 0xE0-0xF9 (Hanja) covers two KS X 1001 rows each.
std::optional<std::array<char, 2>> ToEucKr(uint8_t lead, uint8_t trail) {
  int row = 0;
  if (lead >= 0xD9 && lead <= 0xDE) {
    row = 2 * (lead - 0xD9) + 1;
  } else if (lead >= 0xE0 && lead <= 0xF9) {
    row = 2 * (lead - 0xE0) + 42;
  } else {
    return std::nullopt;
  }
  int column = 0;
  if (trail >= 0x31 && trail <= 0x7E) {
    column = trail - 0x31;
  } else if (trail >= 0x91 && trail <= 0xFE) {
    column = trail - 0x91 + 78;
  } else {
    return std::nullopt;
  }
  if (column >= 94) {
    column -= 94;
    ++row;
  }
  return std::array<char, 2>{static_cast<char>(row + 0xA0), static_cast<char>(column + 0xA1)};
}

class KsSymbols {
 public:
  KsSymbols() {
    UErrorCode status = U_ZERO_ERROR;
    converter_ = ucnv_open("windows-949", &status);
    if (U_FAILURE(status)) converter_ = nullptr;
  }
  ~KsSymbols() {
    if (converter_ != nullptr) ucnv_close(converter_);
  }
  KsSymbols(const KsSymbols&) = delete;
  KsSymbols& operator=(const KsSymbols&) = delete;

  std::optional<char32_t> Decode(uint8_t lead, uint8_t trail) {
    const auto euc = ToEucKr(lead, trail);
    if (!euc || converter_ == nullptr) return std::nullopt;
    UErrorCode status = U_ZERO_ERROR;
    const char* source = euc->data();
    ucnv_resetToUnicode(converter_);
    const UChar32 c = ucnv_getNextUChar(converter_, &source, source + 2, &status);
    if (U_FAILURE(status) || c == 0xFFFD) return std::nullopt;
    return static_cast<char32_t>(c);
  }

 private:
  UConverter* converter_ = nullptr;
};

}  // namespace

std::string DecodeJohab(std::string_view bytes, uint64_t& invalid) {
  KsSymbols symbols;
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto lead = static_cast<uint8_t>(bytes[i]);
    if (lead < 0x80) {
      out.push_back(bytes[i]);
      continue;
    }
    std::optional<char32_t> c;
    if (i + 1 < bytes.size()) {
      const auto trail = static_cast<uint8_t>(bytes[i + 1]);
      c = lead >= 0x84 && lead <= 0xD3 ? Hangul(static_cast<uint32_t>(lead) << 8 | trail)
                                       : symbols.Decode(lead, trail);
    }
    if (c) {
      utf8::Append(*c, out);
      ++i;
    } else {
      utf8::Append(utf8::kReplacement, out);
      ++invalid;
    }
  }
  return out;
}

}  // namespace vade::ingest
