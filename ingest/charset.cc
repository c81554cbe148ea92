// The order of evidence, and the decoding itself (ICU; Johab by hand). The statistics that choose
// among legacy encodings are in charset_guess.cc.
#include "ingest/charset.h"

#include <unicode/ucnv.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "engine/base/utf8.h"
#include "ingest/charset_guess.h"
#include "ingest/johab.h"

namespace vade::ingest {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const noexcept { ucnv_close(converter); }
};

// "\r\n" and "\r" become "\n", in place.
void UnifyLineEnds(std::string& text) {
  const size_t first = text.find('\r');
  if (first == std::string::npos) return;
  size_t out = first;
  for (size_t in = first; in < text.size(); ++in) {
    if (text[in] != '\r') {
      text[out++] = text[in];
    } else {
      text[out++] = '\n';
      if (in + 1 < text.size() && text[in + 1] == '\n') ++in;
    }
  }
  text.resize(out);
}

DecodedText Finish(std::string text, std::string charset, bool guessed, uint64_t invalid) {
  UnifyLineEnds(text);
  return {std::move(text), std::move(charset), guessed, invalid};
}

struct Utf8Shape {
  uint64_t multibyte = 0;
  uint64_t invalid = 0;
};

Utf8Shape MeasureUtf8(std::string_view bytes) {
  Utf8Shape shape;
  for (size_t i = 0; i < bytes.size();) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      ++i;
      continue;
    }
    const utf8::CodePoint c = utf8::Decode(bytes, i);
    ++(c.valid ? shape.multibyte : shape.invalid);
    i += c.length;
  }
  return shape;
}

DecodedText FromUtf8(std::string_view bytes, bool guessed) {
  const uint64_t invalid = MeasureUtf8(bytes).invalid;
  return Finish(invalid == 0 ? std::string(bytes) : utf8::Repair(bytes), "UTF-8", guessed, invalid);
}

DecodedText FromCharset(std::string_view bytes, const std::string& charset, bool guessed) {
  uint64_t invalid = 0;
  std::string text = DecodeAs(bytes, charset, invalid);
  return Finish(std::move(text), charset, guessed, invalid);
}

// The name a document declares for itself -> the superset that is really meant (WHATWG labels).
std::string CanonicalName(std::string_view declared) {
  std::string name;
  for (const char c : declared.substr(0, 64)) {
    if (c != ' ' && c != '"' && c != '\'') {
      name.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  struct Label {
    std::string_view label;
    const char* charset;
  };
  constexpr Label kLabels[] = {{"euc-kr", "CP949"},
                               {"ks_c_5601-1987", "CP949"},
                               {"ks_c_5601", "CP949"},
                               {"cp949", "CP949"},
                               {"windows-949", "CP949"},
                               {"uhc", "CP949"},
                               {"ms949", "CP949"},
                               {"johab", "Johab"},
                               {"cp1361", "Johab"},
                               {"shift_jis", "Shift_JIS"},
                               {"shift-jis", "Shift_JIS"},
                               {"sjis", "Shift_JIS"},
                               {"windows-31j", "Shift_JIS"},
                               {"x-sjis", "Shift_JIS"},
                               {"euc-jp", "EUC-JP"},
                               {"gb2312", "GB18030"},
                               {"gbk", "GB18030"},
                               {"gb18030", "GB18030"},
                               {"big5", "Big5"},
                               {"big5-hkscs", "Big5"},
                               {"iso-8859-1", "windows-1252"},
                               {"latin1", "windows-1252"},
                               {"us-ascii", "windows-1252"}};
  for (const Label& entry : kLabels) {
    if (name == entry.label) return entry.charset;
  }
  // Single-byte families of ICU; stateful and exotic encodings are nothing to obey.
  for (const std::string_view family : {"windows-125", "iso-8859-", "koi8-", "ibm8", "macintosh"}) {
    if (name.starts_with(family)) return name;
  }
  return {};
}

}  // namespace

std::string DecodeAs(std::string_view bytes, const std::string& charset, uint64_t& invalid) {
  if (charset == "Johab") return DecodeJohab(bytes, invalid);
  const char* icu_name = charset.c_str();
  if (charset == "CP949" || charset == "EUC-KR") icu_name = "windows-949";
  if (charset == "Shift_JIS") icu_name = "windows-31j";
  if (charset == "ISO-8859-1") icu_name = "windows-1252";
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, CloseConverter> converter(ucnv_open(icu_name, &status));
  if (U_FAILURE(status)) {
    invalid += bytes.size();
    return {};
  }
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  UChar buffer[8192];
  const char* source = bytes.data();
  const char* const end = source + bytes.size();
  char16_t high = 0;
  do {
    UChar* target = buffer;
    status = U_ZERO_ERROR;
    ucnv_toUnicode(converter.get(), &target, std::end(buffer), &source, end, nullptr, true,
                   &status);
    for (const UChar* unit = buffer; unit != target; ++unit) {
      if (U16_IS_LEAD(*unit)) {
        high = *unit;
      } else if (U16_IS_TRAIL(*unit)) {
        utf8::Append(high != 0 ? static_cast<char32_t>(U16_GET_SUPPLEMENTARY(high, *unit))
                               : utf8::kReplacement,
                     out);
        high = 0;
      } else {
        invalid += *unit == 0xFFFD;
        utf8::Append(*unit, out);
      }
    }
  } while (status == U_BUFFER_OVERFLOW_ERROR);
  return out;
}

DecodedText DecodeText(std::string_view bytes, std::string_view declared) {
  if (bytes.starts_with("\xEF\xBB\xBF")) return FromUtf8(bytes.substr(3), false);
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xFF\xFE\0\0"sv) && bytes.size() % 4 == 0) {
    return FromCharset(bytes.substr(4), "UTF-32LE", false);
  }
  if (bytes.starts_with("\xFF\xFE")) return FromCharset(bytes.substr(2), "UTF-16LE", false);
  if (bytes.starts_with("\xFE\xFF")) return FromCharset(bytes.substr(2), "UTF-16BE", false);
  const std::string utf16 = GuessUtf16(bytes);
  if (!utf16.empty()) return FromCharset(bytes, utf16, true);

  const Utf8Shape shape = MeasureUtf8(bytes);
  if (shape.invalid == 0) return FromUtf8(bytes, false);
  // Damaged UTF-8: runs of valid sequences do not happen by chance in legacy encodings.
  if (shape.multibyte >= 8 * shape.invalid) return FromUtf8(bytes, true);

  if (const std::string charset = CanonicalName(declared); !charset.empty()) {
    DecodedText decoded = FromCharset(bytes, charset, false);
    if (decoded.invalid * 100 <= bytes.size()) return decoded;
  }
  return FromCharset(bytes, GuessLegacyCharset(bytes), true);
}

}  // namespace vade::ingest
