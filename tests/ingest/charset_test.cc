// Encodings made by ICU from known text must be recognised and decoded exactly; damaged input must
// still become valid UTF-8 (faults.md 22).
#include "ingest/charset.h"

#include <gtest/gtest.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <random>

#include "engine/base/utf8.h"
#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

using namespace std::string_view_literals;

std::string Encode(const std::string& utf8_text, const char* charset) {
  const auto text = icu::UnicodeString::fromUTF8(utf8_text);
  UErrorCode status = U_ZERO_ERROR;
  UConverter* converter = ucnv_open(charset, &status);
  std::string out(static_cast<size_t>(text.length()) * 4 + 16, '\0');
  const int32_t size = ucnv_fromUChars(converter, out.data(), static_cast<int32_t>(out.size()),
                                       text.getBuffer(), text.length(), &status);
  ucnv_close(converter);
  EXPECT_TRUE(U_SUCCESS(status)) << charset;
  out.resize(static_cast<size_t>(size));
  return out;
}

constexpr const char* kKorean =
    "이 설명서는 펌프를 설치하고 사용하는 방법을 설명합니다. 전원을 연결하기 전에 안전을 위한 주의 "
    "사항을 "
    "반드시 읽어 주세요. 물이 나오지 않으면 필터를 확인하고 전원을 다시 켜십시오.\n";
constexpr const char* kJapanese =
    "この取扱説明書は、ポンプの設置と使い方を説明しています。電源を入れる前に、安全のための注意事項"
    "を必ず"
    "お読みください。水が出ないときは、フィルターを確認してください。\n";
constexpr const char* kSimplified =
    "本说明书介绍水泵的安装和使用方法。接通电源之前，请务必阅读安全注意事项。如果没有水，请检查过滤"
    "器，然后"
    "重新打开电源。这是一个重要的说明，我们在这里说明了所有的操作。\n";
constexpr const char* kTraditional =
    "本說明書介紹水泵的安裝和使用方法。接通電源之前，請務必閱讀安全注意事項。如果沒有水，請檢查過濾"
    "器，然後"
    "重新打開電源。這是一個重要的說明，我們在這裡說明了所有的操作。\n";
constexpr const char* kWestern =
    "Le mode d’emploi décrit l’installation et l’entretien de la pompe. Vérifiez le câble à côté. "
    "Größe und Länge müssen übereinstimmen. ¿Dónde está el señal?\n";
constexpr const char* kRussian =
    "Это руководство описывает установку и использование насоса. Перед включением прочитайте "
    "указания "
    "по безопасности.\n";

void ExpectRoundTrip(const char* text, const char* encoder, const char* name) {
  const DecodedText decoded = DecodeText(Encode(text, encoder));
  EXPECT_EQ(decoded.text, text) << encoder;
  EXPECT_EQ(decoded.charset, name);
  EXPECT_TRUE(decoded.guessed);
  EXPECT_EQ(decoded.invalid, 0u);
}

TEST(DecodeText, RecognisesLegacyEncodings) {
  ExpectRoundTrip(kKorean, "windows-949", "EUC-KR");
  ExpectRoundTrip((std::string(kKorean) + "똠방각하 펲시콜라\n").c_str(), "windows-949", "CP949");
  ExpectRoundTrip(kJapanese, "windows-31j", "Shift_JIS");
  ExpectRoundTrip(kJapanese, "EUC-JP", "EUC-JP");
  ExpectRoundTrip(kSimplified, "GB18030", "GB18030");
  ExpectRoundTrip(kTraditional, "Big5", "Big5");
  ExpectRoundTrip(kWestern, "windows-1252", "windows-1252");
  ExpectRoundTrip("D\u00E9j\u00E0 vu, na\u00EFve, \u00FCber, se\u00F1or.\n", "ISO-8859-1",
                  "ISO-8859-1");
}

TEST(DecodeText, RecognisesCyrillic) {
  EXPECT_EQ(DecodeText(Encode(kRussian, "windows-1251")).text, kRussian);
  EXPECT_EQ(DecodeText(Encode(kRussian, "KOI8-R")).text, kRussian);
}

TEST(DecodeText, RecognisesUnicode) {
  EXPECT_EQ(DecodeText("\xEF\xBB\xBFtext").text, "text");
  for (const char* charset : {"UTF-16LE", "UTF-16BE"}) {
    const DecodedText decoded = DecodeText(Encode(kKorean, charset));
    EXPECT_EQ(decoded.text, kKorean);
    EXPECT_EQ(decoded.charset, charset);
    EXPECT_TRUE(decoded.guessed);
  }
  const DecodedText marked = DecodeText("\xFF\xFE" + Encode(kKorean, "UTF-16LE"));
  EXPECT_EQ(marked.text, kKorean);
  EXPECT_FALSE(marked.guessed);
  EXPECT_EQ(DecodeText("\xFF\xFE\0\0a\0\0\0"sv).charset, "UTF-32LE");
  EXPECT_FALSE(DecodeText(kKorean).guessed);
}

TEST(DecodeText, ObeysTheDeclarationOnlyWhenItFits) {
  const std::string bytes = Encode("짧다", "windows-949");
  EXPECT_EQ(DecodeText(bytes, "euc-kr").text, "짧다");
  EXPECT_FALSE(DecodeText(bytes, "EUC-KR").guessed);
  EXPECT_EQ(DecodeText(kKorean, "iso-8859-1").text, kKorean);  // valid UTF-8 wins
  EXPECT_EQ(DecodeText(Encode(kKorean, "windows-949"), "utf-7").text, kKorean);
}

TEST(DecodeText, UnifiesLineEnds) { EXPECT_EQ(DecodeText("a\r\nb\rc\n\r").text, "a\nb\nc\n\n"); }

TEST(DecodeText, RepairsDamagedUtf8) {
  const std::string text = std::string(kKorean) + "\xC0\xAF overlong \xED\xA0\x80 end";
  const DecodedText decoded = DecodeText(text);
  EXPECT_EQ(decoded.charset, "UTF-8");
  EXPECT_GE(decoded.invalid, 2u);
  EXPECT_TRUE(utf8::IsValid(decoded.text));
  EXPECT_NE(decoded.text.find("overlong"), std::string::npos);
}

TEST(DecodeText, JohabCoversEverySyllable) {
  // Hangul of Johab is arithmetic; a wrong table would show as U+FFFD or as a repeated syllable.
  std::string bytes;
  for (int initial = 2; initial <= 20; ++initial) {
    bytes +=
        {static_cast<char>(0x80 | initial << 2 | 0), static_cast<char>(0x61)};  // + A, no final
  }
  const DecodedText decoded = DecodeText(bytes, "johab");
  EXPECT_EQ(decoded.text, "가까나다따라마바빠사싸아자짜차카타파하");
  EXPECT_EQ(decoded.invalid, 0u);
}

TEST(DecodeText, AnyBytesBecomeValidUtf8InLinearTime) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    std::string bytes(random() % 400, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_TRUE(utf8::IsValid(DecodeText(bytes).text));
    EXPECT_TRUE(utf8::IsValid(DecodeText(bytes, "johab").text));
    EXPECT_TRUE(utf8::IsValid(DecodeText(bytes, "shift_jis").text));
  }
  EXPECT_EQ(DecodeText("").text, "");
}

}  // namespace
}  // namespace vade::ingest
