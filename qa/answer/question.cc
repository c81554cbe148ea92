// Cue words of English and Korean questions, tried in order: the first that fits decides.
#include "qa/answer/question.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include "engine/base/utf8.h"
#include "retriever/query.h"
#include "vectorstore/lexical_tokenizer.h"

namespace vade::qa {
namespace {

struct Cue {
  std::string_view words;  // lower case; a leading "^" ties it to the start of the question
  QuestionKind kind;
};

// More particular cues stand before more general ones ("how long" before "how").
constexpr std::array kEnglishCues = {
    Cue{"how long", QuestionKind::kTime},
    Cue{"how often", QuestionKind::kTime},
    Cue{"how soon", QuestionKind::kTime},
    Cue{"how many", QuestionKind::kNumber},
    Cue{"how much", QuestionKind::kNumber},
    Cue{"how far", QuestionKind::kNumber},
    Cue{"how big", QuestionKind::kNumber},
    Cue{"how large", QuestionKind::kNumber},
    Cue{"how heavy", QuestionKind::kNumber},
    Cue{"how high", QuestionKind::kNumber},
    Cue{"how hot", QuestionKind::kNumber},
    Cue{"how fast", QuestionKind::kNumber},
    Cue{"how wide", QuestionKind::kNumber},
    Cue{"how deep", QuestionKind::kNumber},
    Cue{"how tall", QuestionKind::kNumber},
    Cue{"how thick", QuestionKind::kNumber},
    Cue{"how loud", QuestionKind::kNumber},
    Cue{"how tight", QuestionKind::kNumber},
    Cue{"how do i", QuestionKind::kProcedure},
    Cue{"how do you", QuestionKind::kProcedure},
    Cue{"how do we", QuestionKind::kProcedure},
    Cue{"how can", QuestionKind::kProcedure},
    Cue{"how to", QuestionKind::kProcedure},
    Cue{"how should", QuestionKind::kProcedure},
    Cue{"how must", QuestionKind::kProcedure},
    Cue{"how is", QuestionKind::kProcedure},
    Cue{"how are", QuestionKind::kProcedure},
    Cue{"steps", QuestionKind::kProcedure},
    Cue{"procedure", QuestionKind::kProcedure},
    Cue{"what should i do", QuestionKind::kProcedure},
    Cue{"what do i do", QuestionKind::kProcedure},
    Cue{"what must i do", QuestionKind::kProcedure},
    Cue{"what is the best way", QuestionKind::kProcedure},
    Cue{"walk me through", QuestionKind::kProcedure},
    Cue{"why", QuestionKind::kReason},
    Cue{"what causes", QuestionKind::kReason},
    Cue{"what is the reason", QuestionKind::kReason},
    Cue{"what year", QuestionKind::kTime},
    Cue{"what time", QuestionKind::kTime},
    Cue{"what date", QuestionKind::kTime},
    Cue{"^when", QuestionKind::kTime},
    Cue{"^where", QuestionKind::kPlace},
    Cue{"maximum", QuestionKind::kNumber},
    Cue{"minimum", QuestionKind::kNumber},
    Cue{"what temperature", QuestionKind::kNumber},
    Cue{"what pressure", QuestionKind::kNumber},
    Cue{"what voltage", QuestionKind::kNumber},
    Cue{"what torque", QuestionKind::kNumber},
    Cue{"what speed", QuestionKind::kNumber},
    Cue{"what size", QuestionKind::kNumber},
    Cue{"^can ", QuestionKind::kYesNo},
    Cue{"^may ", QuestionKind::kYesNo},
    Cue{"^is ", QuestionKind::kYesNo},
    Cue{"^are ", QuestionKind::kYesNo},
    Cue{"^does ", QuestionKind::kYesNo},
    Cue{"^do ", QuestionKind::kYesNo},
    Cue{"^should ", QuestionKind::kYesNo},
    Cue{"^must ", QuestionKind::kYesNo},
    Cue{"^will ", QuestionKind::kYesNo},
};

constexpr std::array kKoreanCues = {
    Cue{"얼마나 자주", QuestionKind::kTime},  // how often
    Cue{"얼마나 오래", QuestionKind::kTime},  // how long
    Cue{"얼마 동안", QuestionKind::kTime},    // for how long
    Cue{"언제", QuestionKind::kTime},         // when
    Cue{"며칠", QuestionKind::kTime},         // how many days
    Cue{"주기", QuestionKind::kTime},         // interval
    Cue{"몇", QuestionKind::kNumber},         // how many
    Cue{"얼마", QuestionKind::kNumber},       // how much
    Cue{"최대", QuestionKind::kNumber},       // maximum
    Cue{"최소", QuestionKind::kNumber},       // minimum
    Cue{"어디", QuestionKind::kPlace},        // where
    Cue{"왜", QuestionKind::kReason},         // why
    Cue{"이유", QuestionKind::kReason},       // reason
    Cue{"원인", QuestionKind::kReason},       // cause
    Cue{"어떻게", QuestionKind::kProcedure},  // how
    Cue{"방법", QuestionKind::kProcedure},    // way, method
    Cue{"절차", QuestionKind::kProcedure},    // procedure
    Cue{"순서", QuestionKind::kProcedure},    // order of steps
    Cue{"하려면", QuestionKind::kProcedure},  // in order to
    Cue{"있습니까", QuestionKind::kYesNo},    // is there, can one
};

bool IsHangul(char32_t c) {
  return (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1100 && c <= 0x11FF) ||
         (c >= 0x3130 && c <= 0x318F);
}

bool IsAsciiLetter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool IsWordByte(char c) { return IsAsciiLetter(static_cast<unsigned char>(c)); }

/// `cue` at a word boundary of `text`, or at its start for "^cue".
bool HasCue(std::string_view text, std::string_view cue, bool word_start) {
  if (cue.front() == '^') return text.starts_with(cue.substr(1));
  for (size_t at = text.find(cue); at != std::string_view::npos; at = text.find(cue, at + 1)) {
    if (!word_start || at == 0 || !IsWordByte(text[at - 1])) return true;
  }
  return false;
}

template <size_t kSize>
const Cue* FindCue(std::string_view text, const std::array<Cue, kSize>& cues, bool word_start) {
  const auto found = std::find_if(cues.begin(), cues.end(), [&](const Cue& cue) {
    return HasCue(text, cue.words, word_start);
  });
  return found == cues.end() ? nullptr : &*found;
}

// Korean question and auxiliary words, by how they begin.
constexpr std::array<std::string_view, 34> kKoreanFunctionWords = {
    "어떻", "무엇", "무슨", "얼마", "언제",   "어디", "누구", "누가", "어느",
    "어떤", "어떠", "왜",   "몇",   "하나요", "인가", "있나", "있는", "있습",
    "합니", "하는", "하려", "하면", "해야",   "해도", "되나", "되는", "됩니",
    "방법", "경우", "알려", "무어", "뭐",     "입니", "이유"};

// Particles and verb endings, longer ones first; one is taken off the end of a word.
constexpr std::array<std::string_view, 46> kKoreanEndings = {
    "하려면", "하나요", "되나요", "인가요", "은가요", "는가요", "습니까", "입니까",
    "합니까", "하세요", "이에요", "으려면", "에서는", "으로는", "에서",   "으로",
    "까지",   "부터",   "에게",   "나요",   "까요",   "가요",   "려면",   "으면",
    "어요",   "아요",   "예요",   "에요",   "해요",   "지요",   "하면",   "하는",
    "한테",   "은",     "는",     "이",     "가",     "을",     "를",     "의",
    "에",     "도",     "로",     "와",     "과",     "면"};

std::string_view WithoutEnding(std::string_view word) {
  for (const std::string_view ending : kKoreanEndings) {
    if (word.size() > ending.size() && word.ends_with(ending)) {
      return word.substr(0, word.size() - ending.size());
    }
  }
  return word;
}

/// One Hangul word as a term; nothing for words that only ask.
std::optional<Term> HangulTerm(std::string_view word) {
  for (const std::string_view function_word : kKoreanFunctionWords) {
    if (word.starts_with(function_word)) return std::nullopt;
  }
  const std::string_view stem = WithoutEnding(word);
  const size_t first = utf8::Decode(stem, 0).length;
  if (stem.size() == first && vectorstore::IsStopWord(stem)) return std::nullopt;
  Term term;
  term.key = std::string(
      stem.size() == first ? stem : stem.substr(0, first + utf8::Decode(stem, first).length));
  term.stems.emplace_back(stem);
  // A longer stem may still end in something we do not know: one syllable less is enough then.
  if (utf8::CountCodePoints(stem) > 2) {
    term.stems.emplace_back(stem.substr(0, utf8::FloorBoundary(stem, stem.size() - 1)));
  }
  return term;
}

/// The longest run of Hangul that begins at `at`.
std::string_view HangulRun(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size()) {
    const utf8::CodePoint point = utf8::Decode(text, end);
    if (!point.valid || !IsHangul(point.value)) break;
    end += point.length;
  }
  return text.substr(at, end - at);
}

std::vector<Term> TermsOf(const std::string& text) {
  std::vector<Term> terms;
  std::unordered_set<std::string> seen;
  size_t hangul_end = 0;
  for (vectorstore::Token& token : vectorstore::Tokenize(text, vectorstore::TokenizeFor::kQuery)) {
    if (token.begin < hangul_end) continue;
    std::optional<Term> term;
    const std::string_view run = HangulRun(text, token.begin);
    if (run.empty()) {
      if (!vectorstore::IsStopWord(token.term)) term = Term{std::move(token.term), {}};
    } else {
      hangul_end = token.begin + run.size();
      term = HangulTerm(run);
    }
    if (term && seen.insert(term->key).second) terms.push_back(std::move(*term));
  }
  return terms;
}

/// "Does the Aqua Mini ..." -> {"Aqua", "Mini"}: what a writer capitalises inside a sentence is a
/// name. Nothing from a question written in capitals only.
std::vector<std::string> NamesOf(std::string_view text) {
  std::vector<std::string> names;
  bool any_lower = false;
  bool sentence_start = true;
  for (size_t at = 0; at < text.size();) {
    if (!IsWordByte(text[at])) {
      sentence_start |= text[at] == '.' || text[at] == '?' || text[at] == '!';
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && (IsWordByte(text[end]) || (text[end] >= '0' && text[end] <= '9'))) {
      any_lower |= text[end] >= 'a' && text[end] <= 'z';
      ++end;
    }
    const bool capital = text[at] >= 'A' && text[at] <= 'Z';
    if (capital && !sentence_start && end - at > 1) names.emplace_back(text.substr(at, end - at));
    sentence_start = false;
    at = end;
  }
  if (!any_lower) names.clear();
  return names;
}

}  // namespace

TermIndex::TermIndex(std::string_view text) : text_(text) {
  for (vectorstore::Token& token : vectorstore::Tokenize(text, vectorstore::TokenizeFor::kIndex)) {
    words_.insert(std::move(token.term));
  }
}

bool TermIndex::Contains(const Term& term) const {
  if (term.stems.empty()) return words_.contains(term.key);
  return std::any_of(term.stems.begin(), term.stems.end(), [&](const std::string& stem) {
    return text_.find(stem) != std::string::npos;
  });
}

std::string_view KindName(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::kFact:
      return "fact";
    case QuestionKind::kProcedure:
      return "procedure";
    case QuestionKind::kNumber:
      return "number";
    case QuestionKind::kTime:
      return "time";
    case QuestionKind::kPlace:
      return "place";
    case QuestionKind::kReason:
      return "reason";
    case QuestionKind::kYesNo:
      return "yes/no";
  }
  return "fact";
}

Language LanguageOf(std::string_view text) {
  size_t hangul = 0;
  size_t latin = 0;
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::Decode(text, at);
    hangul += IsHangul(point.value) ? 1 : 0;
    latin += IsAsciiLetter(point.value) ? 1 : 0;
    at += point.length;
  }
  return hangul > 0 && 2 * hangul >= latin ? Language::kKorean : Language::kEnglish;
}

Question ReadQuestion(std::string_view text) {
  Question question;
  question.text = utf8::Repair(text);
  question.language = LanguageOf(question.text);
  const std::string lower = AsciiLower(question.text);
  const size_t start = std::min(lower.find_first_not_of(" \t\r\n"), lower.size());
  const std::string_view asked = std::string_view(lower).substr(start);
  const Cue* cue = question.language == Language::kKorean ? FindCue(asked, kKoreanCues, false)
                                                          : FindCue(asked, kEnglishCues, true);
  question.terms = TermsOf(question.text);
  if (cue != nullptr) question.kind = cue->kind;
  if (cue != nullptr && cue->words.starts_with("how ")) {
    // "long" in "how long" asks; it is no word the answer must contain.
    for (const Term& asking : TermsOf(std::string(cue->words))) {
      std::erase_if(question.terms, [&](const Term& term) { return term.key == asking.key; });
    }
  }
  question.names = NamesOf(question.text);
  question.identifiers = retriever::IdentifierKeys(question.text);
  return question;
}

}  // namespace vade::qa
