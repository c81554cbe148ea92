// GuessLanguage on a sentence or two of each language.
#include "ingest/language.h"

#include <gtest/gtest.h>

#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

TEST(Language, KnowsTheCommonOnes) {
  EXPECT_EQ(GuessLanguage("Press the button for three seconds and wait until the light is on."),
            "en");
  EXPECT_EQ(GuessLanguage("Drücken Sie die Taste und warten Sie, bis das Gerät bereit ist."), "de");
  EXPECT_EQ(GuessLanguage("Appuyez sur le bouton pour allumer les lampes dans votre maison."),
            "fr");
  EXPECT_EQ(GuessLanguage("Pulse el botón para encender la luz con las llaves del coche."), "es");
  EXPECT_EQ(GuessLanguage("Premere il pulsante per accendere la luce della cucina con le mani."),
            "it");
  EXPECT_EQ(GuessLanguage("버튼을 3초 동안 누르세요. LED가 켜집니다."), "ko");
  EXPECT_EQ(GuessLanguage("ボタンを三秒間押してください。"), "ja");
  EXPECT_EQ(GuessLanguage("按住按钮三秒钟，直到指示灯亮起。"), "zh");
  EXPECT_EQ(GuessLanguage("Нажмите кнопку и подождите три секунды."), "ru");
}

TEST(Language, KoreanManualsFullOfLatinNamesAreKorean) {
  EXPECT_EQ(GuessLanguage("RC-10 전원을 켜고 Wi-Fi 설정 메뉴에서 Reset 버튼을 누르세요."), "ko");
}

TEST(Language, SaysNothingWhenItCannotKnow) {
  EXPECT_EQ(GuessLanguage(""), "");
  EXPECT_EQ(GuessLanguage("12 345 -- 67.8"), "");
  EXPECT_EQ(GuessLanguage("XK-204 QR77 ZZ"), "");
}

TEST(Language, LooksAtSamplesOnly) {
  const std::string text = Repeat("the pump and the valve are in the case. ", size_t{32} << 20);
  EXPECT_EQ(GuessLanguage(text), "en");
  EXPECT_LT(FastestOfThree([&] { (void)GuessLanguage(text); }), 0.1);
}

}  // namespace
}  // namespace vade::ingest
