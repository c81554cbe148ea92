// What is asked: language, kind, terms, names.
#include "qa/answer/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Keys(const Question& question) {
  std::vector<std::string> keys;
  for (const Term& term : question.terms) keys.push_back(term.key);
  return keys;
}

TEST(ReadQuestion, KindsOfEnglishQuestions) {
  const std::vector<std::pair<const char*, QuestionKind>> cases = {
      {"How do I reset the pump?", QuestionKind::kProcedure},
      {"how to change a filter", QuestionKind::kProcedure},
      {"What are the steps for descaling?", QuestionKind::kProcedure},
      {"How long does charging take?", QuestionKind::kTime},
      {"How often should I clean it?", QuestionKind::kTime},
      {"How many litres does the tank hold?", QuestionKind::kNumber},
      {"What is the maximum pressure?", QuestionKind::kNumber},
      {"Where is the serial number?", QuestionKind::kPlace},
      {"Why is the red light on?", QuestionKind::kReason},
      {"Can I use hot water?", QuestionKind::kYesNo},
      {"What does E-204 mean?", QuestionKind::kFact},
      {"showhow do", QuestionKind::kFact}};
  for (const auto& [text, kind] : cases) {
    EXPECT_EQ(KindName(ReadQuestion(text).kind), KindName(kind)) << text;
  }
}

TEST(ReadQuestion, KindsOfKoreanQuestions) {
  const std::vector<std::pair<const char*, QuestionKind>> cases = {
      {"필터를 어떻게 청소하나요?", QuestionKind::kProcedure},
      {"공장 초기화 방법은?", QuestionKind::kProcedure},
      {"필터는 얼마나 자주 교체해야 하나요?", QuestionKind::kTime},
      {"최대 압력은 몇 바인가요?", QuestionKind::kNumber},
      {"일련번호는 어디에 있나요?", QuestionKind::kPlace},
      {"빨간 불이 왜 켜지나요?", QuestionKind::kReason}};
  for (const auto& [text, kind] : cases) {
    const Question question = ReadQuestion(text);
    EXPECT_EQ(KindName(question.kind), KindName(kind)) << text;
    EXPECT_EQ(question.language, Language::kKorean) << text;
  }
}

TEST(LanguageOf, ModelNamesDoNotMakeAQuestionEnglish) {
  EXPECT_EQ(LanguageOf("Solvara S2 초기화 방법"), Language::kKorean);
  EXPECT_EQ(LanguageOf("What does 초기화 mean in the settings menu?"), Language::kEnglish);
  EXPECT_EQ(LanguageOf("12345"), Language::kEnglish);
}

TEST(ReadQuestion, TermsAreContentWordsInTheirStem) {
  EXPECT_THAT(Keys(ReadQuestion("How do I reset the pumps?")), ElementsAre("reset", "pump"));
}

TEST(ReadQuestion, HangulWordsMeetTheirOtherForms) {
  const Question question = ReadQuestion("필터를 어떻게 청소하나요?");
  EXPECT_THAT(Keys(question), ElementsAre("필터", "청소"));
  const TermIndex text("필터는 매월 청소해야 합니다.");
  EXPECT_TRUE(text.Contains(question.terms[0]));
  EXPECT_TRUE(text.Contains(question.terms[1]));
  EXPECT_FALSE(TermIndex("호스를 연결하십시오.").Contains(question.terms[0]));
}

TEST(ReadQuestion, NamesAreCapitalisedInsideTheSentence) {
  EXPECT_THAT(ReadQuestion("Does the Aqua Mini float?").names, ElementsAre("Aqua", "Mini"));
  EXPECT_THAT(ReadQuestion("does it float?").names, IsEmpty());
  EXPECT_THAT(ReadQuestion("HOW DO I RESET THE PUMP").names, IsEmpty());
  EXPECT_THAT(ReadQuestion("Stop. Where is it?").names, IsEmpty());
}

TEST(ReadQuestion, AnyBytesAreAQuestion) {
  EXPECT_THAT(ReadQuestion("").terms, IsEmpty());
  EXPECT_THAT(ReadQuestion("\xff\xfe\xed\xa0\x80").names, IsEmpty());
  EXPECT_EQ(ReadQuestion("???").kind, QuestionKind::kFact);
}

}  // namespace
}  // namespace vade::qa
