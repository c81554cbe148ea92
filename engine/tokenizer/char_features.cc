// Categories from ICU; the lists of single models as sorted ranges.
#include "engine/tokenizer/char_features.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <span>

namespace vade::tokenizer {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// New in Unicode 15.1; ICU 72 knows 15.0.
constexpr Range kNewLetters[] = {{0x2EBF0, 0x2EE5D}};
constexpr Range kNewSymbols[] = {{0x2FFC, 0x2FFF}, {0x31EF, 0x31EF}};

constexpr Range kSentenceEnds[] = {{0x060C, 0x060C}, {0x06D4, 0x06D4}, {0x0964, 0x0964},
                                   {0x2026, 0x2026}, {0x3001, 0x3002}, {0xFF0C, 0xFF0C}};
constexpr Range kHanOrKanaRanges[] = {{0x3040, 0x30FF}, {0x4E00, 0x9FA5}};
constexpr Range kDeepSeekCjkRanges[] = {{0x0800, 0x9FA5}, {0xAC00, 0xD7FF}};
constexpr Range kDeepSeekWide[] = {
    {0x2018, 0x201F}, {0x3001, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}};
// Letters with case as of about Unicode 11, Latin Extended-D cut short.
constexpr Range kDeepSeekLetters[] = {
    {0x00B5, 0x00B5},   {0x00C0, 0x00D6},   {0x00D8, 0x00F6},   {0x00F8, 0x01BA},
    {0x01BC, 0x01BF},   {0x01C4, 0x0293},   {0x0295, 0x02AF},   {0x0370, 0x0373},
    {0x0376, 0x0376},   {0x0377, 0x0377},   {0x037B, 0x037D},   {0x037F, 0x037F},
    {0x0386, 0x0386},   {0x0388, 0x038A},   {0x038C, 0x038C},   {0x038E, 0x03A1},
    {0x03A3, 0x03F5},   {0x03F7, 0x0481},   {0x048A, 0x052F},   {0x0531, 0x0556},
    {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},
    {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},
    {0x1E00, 0x1F15},   {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},
    {0x1F50, 0x1F57},   {0x1F59, 0x1F59},   {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},
    {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},
    {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},
    {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},   {0x2102, 0x2102},
    {0x2107, 0x2107},   {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},
    {0x2124, 0x2124},   {0x2126, 0x2126},   {0x2128, 0x2128},   {0x212A, 0x212D},
    {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},   {0x2145, 0x2149},
    {0x214E, 0x214E},   {0x2183, 0x2183},   {0x2184, 0x2184},   {0x2C00, 0x2C7B},
    {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF2},   {0x2CF3, 0x2CF3},
    {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},   {0xA771, 0xA787},
    {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
    {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3},
    {0x104D8, 0x104FB}, {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF},
    {0x1E900, 0x1E943}};

constexpr bool Contains(std::span<const Range> ranges, char32_t c) noexcept {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                      [](char32_t v, const Range& r) { return v < r.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

constexpr bool IsOneOf(char32_t c, const char* characters) noexcept {
  for (; *characters != 0; ++characters) {
    if (static_cast<char32_t>(*characters) == c) return true;
  }
  return false;
}

constexpr uint32_t AsciiFeatures(char32_t c) noexcept {
  uint32_t bits = kAnyChar;
  if (c == ' ' || (c >= '\t' && c <= '\r')) bits |= kWhiteSpace;
  if (c == '\r' || c == '\n') bits |= kLineBreak;
  if (c == '\n') bits |= kNewline;
  if (c == ' ') bits |= kBlank;
  if (c == '/') bits |= kSlash;
  if (c >= 'a' && c <= 'z') bits |= kLetter | kAsciiLower | kDeepSeekLetter;
  if (c >= 'A' && c <= 'Z') bits |= kLetter | kAsciiUpper | kDeepSeekLetter;
  if (c >= '0' && c <= '9') bits |= kNumber | kAsciiDigit;
  if (IsOneOf(c, "$+<=>^`|~")) bits |= kSymbol | kAsciiPunctuation;
  if (IsOneOf(c, "!\"#%&'()*,-./:;?@[\\]_{}")) bits |= kPunctuation | kAsciiPunctuation;
  if (IsOneOf(c, "$+<=>^~|")) bits |= kOperator;
  if (c == '`') bits |= kBacktick;
  if (IsOneOf(c, "()|.,!?")) bits |= kSentenceEnd;
  if (c > ' ' && c <= '~' && (bits & kAsciiDigit) == 0) bits |= kDeepSeekPrintable;
  return bits;
}

constexpr std::array<uint32_t, 128> kAscii = [] {
  std::array<uint32_t, 128> table{};
  for (size_t c = 0; c < table.size(); ++c) table[c] = AsciiFeatures(static_cast<char32_t>(c));
  return table;
}();

uint32_t CategoryOf(char32_t c) noexcept {
  const uint32_t category = U_GET_GC_MASK(static_cast<UChar32>(c));
  if ((category & U_GC_L_MASK) != 0) return kLetter;
  if ((category & U_GC_N_MASK) != 0) return kNumber;
  if ((category & U_GC_M_MASK) != 0) return kMark;
  if ((category & U_GC_P_MASK) != 0) return kPunctuation;
  if ((category & U_GC_S_MASK) != 0) return kSymbol;
  if (Contains(kNewLetters, c)) return kLetter;
  return Contains(kNewSymbols, c) ? uint32_t{kSymbol} : 0;
}

uint32_t ListsOf(char32_t c, uint32_t wanted) noexcept {
  const auto in = [&](CharFeature feature, std::span<const Range> ranges) {
    return (wanted & feature) != 0 && Contains(ranges, c) ? uint32_t{feature} : 0;
  };
  return in(kSentenceEnd, kSentenceEnds) | in(kHanOrKana, kHanOrKanaRanges) |
         in(kDeepSeekCjk, kDeepSeekCjkRanges) | in(kDeepSeekLetter, kDeepSeekLetters) |
         in(kDeepSeekPrintable, kDeepSeekWide);
}

}  // namespace

uint32_t FeaturesOf(char32_t c, uint32_t wanted) noexcept {
  if (c < kAscii.size()) return kAscii[c];
  if (u_isUWhiteSpace(static_cast<UChar32>(c)) != 0) return kAnyChar | kWhiteSpace;  // in no list
  return kAnyChar | CategoryOf(c) | (wanted >= kSentenceEnd ? ListsOf(c, wanted) : 0);
}

}  // namespace vade::tokenizer
