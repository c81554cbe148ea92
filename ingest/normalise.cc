// One pass over the bytes; ICU is asked only for text that could be affected by composition.
#include "ingest/normalise.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <array>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

enum class CharClass : uint8_t {
  kVisible,
  kSpace,
  kNewline,
  kSilent,     // legitimate but without meaning here: soft hyphen, BOM. Removed, not reported.
  kInvisible,  // removed and counted
};

constexpr bool InRange(char32_t c, char32_t first, char32_t last) noexcept {
  return c >= first && c <= last;
}

// ZWJ, ZWNJ and variation selectors shape real text in Arabic and Indic scripts and in emoji;
// anywhere else they only hide things.
constexpr bool TakesJoiner(char32_t previous) noexcept {
  return InRange(previous, 0x0600, 0x109F) || InRange(previous, 0x1780, 0x18AF) ||
         InRange(previous, 0x2190, 0x2BFF) || previous == 0xFE0F || previous >= 0x1F000;
}

constexpr CharClass Classify(char32_t c, char32_t previous) noexcept {
  if (c < 0x20) {
    if (c == '\n' || c == '\f' || c == '\v') return CharClass::kNewline;
    return c == '\t' || c == '\r' ? CharClass::kSpace : CharClass::kInvisible;
  }
  if (c < 0x7F) return c == ' ' ? CharClass::kSpace : CharClass::kVisible;
  if (c == 0x85) return CharClass::kNewline;
  if (c < 0xA0) return CharClass::kInvisible;
  if (c == 0xA0) return CharClass::kSpace;
  if (c == 0xAD || c == 0xFEFF) return CharClass::kSilent;
  if (c < 0x034F) return CharClass::kVisible;
  if (InRange(c, 0xAC00, 0xD7A3) || InRange(c, 0x3041, 0x9FFF)) {
    return c == 0x3164 ? CharClass::kInvisible : CharClass::kVisible;
  }
  if (InRange(c, 0x2000, 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0x1680) {
    return CharClass::kSpace;
  }
  if (c == 0x2028 || c == 0x2029) return CharClass::kNewline;
  if (c == 0x200C || c == 0x200D || InRange(c, 0xFE00, 0xFE0F)) {
    return TakesJoiner(previous) ? CharClass::kVisible : CharClass::kInvisible;
  }
  const bool invisible =
      c == 0x034F || c == 0x061C || c == 0x115F || c == 0x1160 || InRange(c, 0x17B4, 0x17B5) ||
      InRange(c, 0x180B, 0x180F) || InRange(c, 0x200B, 0x200F) || InRange(c, 0x202A, 0x202E) ||
      InRange(c, 0x2060, 0x206F) || c == 0xFFA0 || InRange(c, 0xFFF0, 0xFFFB) ||
      InRange(c, 0xFDD0, 0xFDEF) || (c & 0xFFFE) == 0xFFFE || InRange(c, 0x1BCA0, 0x1BCA3) ||
      InRange(c, 0x1D173, 0x1D17A) || InRange(c, 0xE0000, 0xE0FFF);
  return invisible ? CharClass::kInvisible : CharClass::kVisible;
}

// False only for code points that NFC surely leaves alone next to any neighbour of this kind.
constexpr bool MayCompose(char32_t c) noexcept {
  if (c < 0x0300) return false;
  const bool inert = InRange(c, 0xAC00, 0xD7A3) || InRange(c, 0x4E00, 0x9FFF) ||
                     InRange(c, 0x3001, 0x3029) || InRange(c, 0x3041, 0x3096) ||
                     InRange(c, 0x30A0, 0x30FF) || InRange(c, 0x2010, 0x2027) ||
                     InRange(c, 0x0400, 0x0482) || InRange(c, 0xFF01, 0xFF9F) || c == 0xFFFD;
  return !inert;
}

void ComposeFrom(size_t begin, std::string& out) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) return;  // cannot happen: the data is compiled into ICU
  const icu::StringPiece text(out.data() + begin, static_cast<int32_t>(out.size() - begin));
  if (nfc->isNormalizedUTF8(text, status)) return;
  status = U_ZERO_ERROR;
  std::string composed;
  icu::StringByteSink<std::string> sink(&composed, text.length());
  nfc->normalizeUTF8(0, text, sink, nullptr, status);
  if (U_SUCCESS(status)) out.replace(begin, std::string::npos, composed);
}

// ICU counts in int32; longer text is composed in parts cut at ASCII bytes, where nothing composes.
void ComposeInParts(size_t begin, std::string& out) {
  constexpr size_t kPartBytes = size_t{16} << 20;
  if (out.size() - begin <= kPartBytes) return ComposeFrom(begin, out);
  const std::string all = out.substr(begin);
  out.resize(begin);
  for (size_t at = 0; at < all.size();) {
    size_t end = utf8::FloorBoundary(all, std::min(all.size(), at + kPartBytes));
    const size_t newline_or_space = all.find_last_of(" \n", end);
    if (end < all.size() && newline_or_space != std::string::npos && newline_or_space > at) {
      end = newline_or_space;
    }
    const size_t part_begin = out.size();
    out.append(all, at, end - at);
    ComposeFrom(part_begin, out);
    at = end;
  }
}

constexpr bool IsPlain(char c) noexcept { return c > ' ' && c < 0x7F; }

struct LastChar {
  char32_t value = 0;
  size_t begin = 0;
};

LastChar LastCodePoint(std::string_view text) {
  if (text.empty()) return {};
  const size_t begin = utf8::FloorBoundary(text.substr(0, text.size()), text.size() - 1);
  return {utf8::Decode(text, begin).value, begin};
}

constexpr bool IsLower(char32_t c) noexcept {
  return InRange(c, 'a', 'z') || (InRange(c, 0xDF, 0xFF) && c != 0xF7);
}
constexpr bool IsLetter(char32_t c) noexcept {
  return IsLower(c) || InRange(c, 'A', 'Z') || InRange(c, 0xC0, 0xDE);
}
constexpr bool WritesWithoutSpaces(char32_t c) noexcept {
  if (c == 0x3099 || c == 0x309A) return false;  // combining: must not meet a new base
  return InRange(c, 0x3001, 0x30FF) || InRange(c, 0x3400, 0x9FFF) || InRange(c, 0xFF01, 0xFF9F);
}

// Words that keep their hyphen in careful English; anything else was hyphenated by the printer.
// No prefix that printers also break at ("pre-vent", "ex-ample", "low-er") is among them.
bool KeepsHyphen(std::string_view line) {
  static constexpr std::array<std::string_view, 13> kPrefixes = {
      "self",  "non",  "well", "half",  "cross", "semi", "two",
      "three", "four", "user", "built", "step",  "state"};
  constexpr size_t kLongestCompound = 48;  // bounds the search on text without spaces
  line = line.substr(line.size() - std::min(line.size(), kLongestCompound));
  const size_t space = line.find_last_of(" \t\n(");
  const std::string_view word = space == std::string_view::npos ? line : line.substr(space + 1);
  if (word.find('-') != std::string_view::npos) return true;  // "state-of-the-"
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(kPrefixes.begin(), kPrefixes.end(), lower) != kPrefixes.end();
}

std::string_view TrimAscii(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

void AppendOneLine(std::string_view text, std::string& out, CleaningCounts& counts) {
  const size_t begin = out.size();
  bool space_pending = false;
  bool may_compose = false;
  char32_t previous = 0;
  const auto before_visible = [&] {
    if (space_pending && out.size() > begin) out.push_back(' ');
    space_pending = false;
  };
  for (size_t at = 0; at < text.size();) {
    if (IsPlain(text[at])) {
      size_t end = at + 1;
      while (end < text.size() && IsPlain(text[end])) ++end;
      before_visible();
      out.append(text.substr(at, end - at));
      previous = static_cast<char32_t>(text[end - 1]);
      at = end;
      continue;
    }
    const utf8::CodePoint c = utf8::Decode(text, at);
    at += c.length;
    if (!c.valid) ++counts.invalid;
    switch (Classify(c.value, previous)) {
      case CharClass::kSpace:
      case CharClass::kNewline:
        space_pending = true;
        break;
      case CharClass::kSilent:
        break;
      case CharClass::kInvisible:
        ++counts.invisible;
        break;
      case CharClass::kVisible:
        before_visible();
        utf8::Append(c.value, out);
        may_compose |= MayCompose(c.value);
        previous = c.value;
        break;
    }
  }
  if (may_compose) ComposeInParts(begin, out);
}

void AppendVerbatim(std::string_view text, std::string& out, CleaningCounts& counts) {
  const size_t begin = out.size();
  bool may_compose = false;
  size_t visible_end = begin;  // end of the last visible character
  size_t line_begin = begin;
  char32_t previous = 0;
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint c = utf8::Decode(text, at);
    at += c.length;
    if (!c.valid) ++counts.invalid;
    switch (Classify(c.value, previous)) {
      case CharClass::kNewline:
        out.resize(std::max(visible_end, line_begin));
        if (visible_end > begin) {
          out.push_back('\n');
        } else {
          out.resize(begin);  // still nothing but blank lines
        }
        line_begin = out.size();
        break;
      case CharClass::kSpace:
        if (c.value != '\r') out.push_back(c.value == '\t' ? '\t' : ' ');
        break;
      case CharClass::kSilent:
        break;
      case CharClass::kInvisible:
        ++counts.invisible;
        break;
      case CharClass::kVisible:
        utf8::Append(c.value, out);
        visible_end = out.size();
        may_compose |= MayCompose(c.value);
        previous = c.value;
        break;
    }
  }
  out.resize(visible_end);
  if (may_compose) ComposeInParts(begin, out);
}

void AppendJoined(std::string_view next, std::string& out) {
  next = TrimAscii(next);
  if (next.empty()) return;
  if (out.empty()) {
    out.append(next);
    return;
  }
  const LastChar last = LastCodePoint(out);
  const char32_t first = utf8::Decode(next, 0).value;
  const bool soft = last.value == 0xAD;
  if (soft || last.value == '-' || last.value == 0x2010) {
    const std::string_view before(out.data(), last.begin);
    const bool in_word = IsLetter(LastCodePoint(before).value);
    if (soft || (in_word && IsLower(first))) {
      if (soft || !KeepsHyphen(before)) out.resize(last.begin);
      out.append(next);
      return;
    }
  }
  if (!(WritesWithoutSpaces(last.value) && WritesWithoutSpaces(first))) out.push_back(' ');
  out.append(next);
}

std::string JoinLines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    AppendJoined(text.substr(at, end - at), out);
    at = end + 1;
  }
  return out;
}

}  // namespace vade::ingest
