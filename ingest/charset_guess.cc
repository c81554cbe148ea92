// Which legacy encoding is it? Each multi-byte candidate is decoded and judged by what comes out:
// in running text of any language a few dozen characters make up half of it, while a wrong
// decoding spreads over thousands of rare ones. That separates CP949 from Johab, and EUC-JP, GB and
// Big5 from each other, where byte statistics (uchardet) fail. uchardet decides only among the
// single-byte encodings.
#include "ingest/charset_guess.h"

#include <uchardet.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

constexpr size_t kSampleBytes = 256 << 10;  // enough for the statistics, cheap to decode eight ways

constexpr std::string_view kKoreanText =
    "이다는을의에가하고를은로한기지사어리시도자해스인들으대정나서일그있아부수과보러라만전게장상면니"
    "주제여용되된적않방여러할함때와내소우오마것구성신조원연동드트경명모비음화유관습세입중안거르설치"
    "개야";
constexpr std::string_view kSimplifiedText =
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发"
    "后"
    "作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因"
    "只"
    "从想实日者意无力它与长把机十第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应文体"
    "电"
    "数安接设件开请按操作说明书";
constexpr std::string_view kTraditionalText =
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發"
    "後"
    "作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因"
    "只"
    "從想實日者意無力它與長把機十第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應文體"
    "電"
    "數安接設件開請按操作說明書";

enum class Language { kKorean, kJapanese, kSimplified, kTraditional };

struct Candidate {
  const char* charset;
  Language language;
};

constexpr std::array<Candidate, 6> kCandidates = {{{"CP949", Language::kKorean},
                                                   {"Johab", Language::kKorean},
                                                   {"Shift_JIS", Language::kJapanese},
                                                   {"EUC-JP", Language::kJapanese},
                                                   {"GB18030", Language::kSimplified},
                                                   {"Big5", Language::kTraditional}}};

std::vector<char32_t> SortedCodePoints(std::string_view text) {
  std::vector<char32_t> out;
  for (size_t i = 0; i < text.size();) {
    const utf8::CodePoint c = utf8::Decode(text, i);
    out.push_back(c.value);
    i += c.length;
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool IsCommon(Language language, char32_t c) {
  static const std::array<std::vector<char32_t>, 4> tables = {SortedCodePoints(kKoreanText),
                                                              {},
                                                              SortedCodePoints(kSimplifiedText),
                                                              SortedCodePoints(kTraditionalText)};
  if (language == Language::kJapanese) return c >= 0x3041 && c <= 0x3093;  // hiragana
  const auto& table = tables[static_cast<size_t>(language)];
  return std::binary_search(table.begin(), table.end(), c);
}

bool IsImplausible(char32_t c) {
  if (c == utf8::kReplacement || (c >= 0x80 && c < 0xA0)) return true;
  const int8_t type = u_charType(static_cast<UChar32>(c));
  return type == U_UNASSIGNED || type == U_PRIVATE_USE_CHAR || type == U_SURROGATE;
}

// Share of common characters among the non-ASCII ones, minus a heavy price for impossible ones.
double Plausibility(std::string_view text, Language language) {
  size_t total = 0;
  size_t common = 0;
  size_t bad = 0;
  for (size_t i = 0; i < text.size();) {
    const utf8::CodePoint c = utf8::Decode(text, i);
    i += c.length;
    if (c.value < 0x80) continue;
    ++total;
    common += IsCommon(language, c.value);
    bad += IsImplausible(c.value);
  }
  if (total == 0) return 0;
  return (static_cast<double>(common) - 5.0 * static_cast<double>(bad)) /
         static_cast<double>(total);
}

// Every two-byte character has both bytes in 0xA1-0xFE: plain EUC-KR, no CP949 extension.
bool IsPlainEucKr(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) continue;
    if (lead < 0xA1 || i + 1 == bytes.size()) return false;
    if (static_cast<unsigned char>(bytes[++i]) < 0xA1) return false;
  }
  return true;
}

// Windows-1252 whose high characters are the ones Western European text has.
bool LooksWestern(std::string_view bytes) {
  constexpr std::string_view kUsual =
      "\xC0\xC1\xC2\xC3\xC4\xC5\xC6\xC7\xC8\xC9\xCA\xCD\xD1\xD3\xD4\xD6\xD8\xDA\xDC\xDF\xE0\xE1\xE2"
      "\xE3\xE4\xE5\xE6\xE7\xE8\xE9\xEA\xEB\xEC\xED\xEE\xEF\xF1\xF2\xF3\xF4\xF5\xF6\xF8\xF9\xFA\xFB"
      "\xFC\xA0\xA1\xA3\xA7\xA9\xAB\xAE\xB0\xB1\xB2\xB3\xB4\xB5\xB7\xBA\xBB\xBC\xBD\xBF\xD7\x80\x85"
      "\x91\x92\x93\x94\x95\x96\x97\x99\x9C";
  size_t high = 0;
  size_t usual = 0;
  size_t isolated = 0;  // accents stand between ASCII letters; Cyrillic and Greek come in runs
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) continue;
    ++high;
    usual += kUsual.find(bytes[i]) != std::string_view::npos;
    isolated += i == 0 || static_cast<unsigned char>(bytes[i - 1]) < 0x80;
  }
  return usual * 100 >= high * 95 && isolated * 10 >= high * 8;
}

std::string AskUchardet(std::string_view bytes) {
  const std::unique_ptr<uchardet, decltype(&uchardet_delete)> detector(uchardet_new(),
                                                                       &uchardet_delete);
  if (!detector || uchardet_handle_data(detector.get(), bytes.data(), bytes.size()) != 0) return {};
  uchardet_data_end(detector.get());
  std::string name = uchardet_get_charset(detector.get());
  // Only the families it knows well; its multi-byte and exotic answers lost to our own statistics.
  for (const std::string_view family : {"WINDOWS-125", "ISO-8859-", "KOI8-", "IBM8", "MAC-CYR"}) {
    if (name.starts_with(family)) return name;
  }
  return {};
}

}  // namespace

std::string GuessUtf16(std::string_view bytes) {
  bytes = bytes.substr(0, kSampleBytes);
  if (bytes.size() < 4) return {};
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < bytes.size(); ++i) zeros[i & 1] += bytes[i] == '\0';
  // Text in any script has spaces, line ends or digits: units whose high byte is zero.
  const bool little = zeros[1] > zeros[0];
  const size_t high_zeros = little ? zeros[1] : zeros[0];
  const size_t low_zeros = little ? zeros[0] : zeros[1];
  const size_t units = bytes.size() / 2;
  if (high_zeros * 50 < units || low_zeros * 20 > high_zeros) return {};
  size_t plausible = 0;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    const auto unit = static_cast<char16_t>(little ? second << 8 | first : first << 8 | second);
    const bool control = unit < 0x20 && unit != '\n' && unit != '\r' && unit != '\t' && unit != 0xC;
    plausible += U16_IS_SURROGATE(unit) || (!control && !IsImplausible(unit));
  }
  if (plausible * 100 < units * 97) return {};
  return little ? "UTF-16LE" : "UTF-16BE";
}

std::string GuessLegacyCharset(std::string_view bytes) {
  const std::string_view sample = bytes.substr(0, kSampleBytes);
  double best = 0;
  const char* winner = nullptr;
  for (const Candidate& candidate : kCandidates) {
    uint64_t invalid = 0;
    const double score =
        Plausibility(DecodeAs(sample, candidate.charset, invalid), candidate.language);
    if (score > best) {
      best = score;
      winner = candidate.charset;
    }
  }
  // 0.2: right decodings score 0.3-0.7 on running text, wrong ones below 0.1.
  const bool western = LooksWestern(sample);
  if (winner != nullptr && (best >= 0.2 || (best > 0.05 && !western))) {
    if (std::string_view(winner) == "CP949" && IsPlainEucKr(bytes)) return "EUC-KR";
    return winner;
  }
  if (!western) {
    if (std::string name = AskUchardet(sample); !name.empty()) return name;
  }
  const bool c1 = std::any_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 && static_cast<unsigned char>(c) < 0xA0;
  });
  return c1 ? "windows-1252" : "ISO-8859-1";
}

}  // namespace vade::ingest
