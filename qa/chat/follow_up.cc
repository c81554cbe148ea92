#include "qa/chat/follow_up.h"

#include <algorithm>
#include <array>
#include <vector>

#include "qa/answer/question.h"

namespace vade::qa {
namespace {

constexpr size_t kCarriedWords = 8;
constexpr size_t kLongestCarried = 300;    // bytes of a previous question that is repeated whole
constexpr size_t kLongestRewriting = 400;  // bytes

bool IsLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// Split at white space; punctuation at the ends of a word does not belong to it.
std::vector<std::string_view> Words(std::string_view text) {
  constexpr std::string_view kPunctuation = "?!.,;:()[]\"'";
  std::vector<std::string_view> words;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(" \t\r\n", at);
    if (begin == std::string_view::npos) break;
    const size_t end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    std::string_view word = text.substr(begin, end - begin);
    const size_t first = word.find_first_not_of(kPunctuation);
    if (first != std::string_view::npos) {
      words.push_back(word.substr(first, word.find_last_not_of(kPunctuation) - first + 1));
    }
    at = end;
  }
  return words;
}

/// Model numbers: runs of letters, digits and hyphens that hold a digit and a letter.
std::vector<std::string_view> ModelNumbers(std::string_view text) {
  std::vector<std::string_view> found;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!IsLetterOrDigit(text[at])) continue;
    size_t end = at;
    while (end < text.size() && (IsLetterOrDigit(text[end]) || text[end] == '-')) ++end;
    while (text[end - 1] == '-') --end;
    const std::string_view run = text.substr(at, end - at);
    const bool digit = std::ranges::any_of(run, IsDigit);
    const bool letter =
        std::ranges::any_of(run, [](char c) { return IsLetterOrDigit(c) && !IsDigit(c); });
    if (digit && letter) found.push_back(run);
    at = end;
  }
  return found;
}

template <size_t kCount>
bool Among(const std::array<std::string_view, kCount>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

constexpr std::array<std::string_view, 7> kOpenings = {"and ",       "but ", "also ",    "then ",
                                                       "what about", "or ",  "how about"};
constexpr std::array<std::string_view, 10> kPronouns = {"it",  "its",  "they", "them", "their",
                                                        "one", "ones", "he",   "she",  "same"};
/// "that" is a pronoun behind these, else it mostly joins a clause.
constexpr std::array<std::string_view, 14> kBeforeThat = {"about", "is",    "does",   "do",  "of",
                                                          "with",  "after", "before", "for", "than",
                                                          "why",   "was",   "if",     "did"};
constexpr std::array<std::string_view, 18> kKoreanPronouns = {
    "그것", "이것", "저것", "그거", "이거", "그걸", "이걸",   "그게",   "이게",
    "그건", "이건", "거기", "여기", "그때", "그럼", "그러면", "그리고", "그래서"};

/// Words of asking that are no topic.
constexpr std::array<std::string_view, 8> kKoreanRequests = {
    "주세요", "주십시오", "알려주세요", "하나요", "되나요", "인가요", "있나요", "싶어요"};

bool HasOpening(std::string_view lower) {
  return std::ranges::any_of(kOpenings, [&](auto opening) { return lower.starts_with(opening); });
}

/// "What about the P350?", "RC-20은요?": only the thing is new, the question is the one before.
bool IsElliptic(std::string_view question) {
  const std::string lower = Lower(question);
  if (lower.starts_with("what about") || lower.starts_with("how about")) return true;
  if (lower.starts_with("and ")) return ReadQuestion(question).kind == QuestionKind::kFact;
  const auto words = Words(question);
  return !words.empty() && (words.back().ends_with("은요") || words.back().ends_with("는요"));
}

bool HasPronoun(std::string_view question) {
  const std::string lower = Lower(question);
  const auto words = Words(lower);
  for (size_t i = 0; i < words.size(); ++i) {
    if (Among(kPronouns, words[i])) return true;
    const bool pointing =
        words[i] == "that" || words[i] == "this" || words[i] == "these" || words[i] == "those";
    const bool alone = i + 1 == words.size() || (i > 0 && Among(kBeforeThat, words[i - 1]));
    if (pointing && alone) return true;
    if (words[i] == "그" || words[i] == "이") return true;
    for (const std::string_view pronoun : kKoreanPronouns) {
      if (words[i].starts_with(pronoun)) return true;
    }
  }
  return false;
}

/// A name or a model number: what "it" in "How do I clean it?" stands for.
bool IsNaming(std::string_view word) {
  return !ModelNumbers(word).empty() || (word[0] >= 'A' && word[0] <= 'Z');
}

/// The words of a question that say what it is about, in their order.
std::vector<std::string_view> TopicWords(std::string_view question) {
  std::vector<std::string_view> words;
  for (const std::string_view word : Words(question)) {
    if (Among(kKoreanRequests, word) || ReadQuestion(word).terms.empty()) continue;
    words.push_back(word);
  }
  return words;
}

/// "How long does it take?" means what was done, all of it; "How do I clean it?" and "How heavy is
/// it?" say themselves what is asked, and lack the thing only.
bool LacksNameOnly(std::string_view text) {
  const Question question = ReadQuestion(text);
  switch (question.kind) {
    case QuestionKind::kFact:
    case QuestionKind::kProcedure:
    case QuestionKind::kPlace:
    case QuestionKind::kYesNo:
      return !question.terms.empty();
    case QuestionKind::kNumber: {  // a measure, but not "how many", "how much"
      const std::string lower = Lower(text);
      return lower.starts_with("how ") && !lower.starts_with("how m");
    }
    case QuestionKind::kTime:
    case QuestionKind::kReason:
      return false;
  }
  return false;
}

bool Contains(std::string_view text, std::string_view part) {
  return Lower(text).find(Lower(part)) != std::string::npos;
}

}  // namespace

bool IsFollowUp(std::string_view text) {
  const Question question = ReadQuestion(text);
  if (HasOpening(Lower(text)) || IsElliptic(text)) return true;
  if (!question.identifiers.empty() || !question.names.empty()) return false;
  return HasPronoun(text) || question.terms.size() <= 1;
}

std::string CarryTopic(std::string_view question, std::string_view previous) {
  const auto own = ModelNumbers(question);
  const auto before = ModelNumbers(previous);
  if (IsElliptic(question)) {
    if (own.size() == 1 && before.size() == 1) {
      const auto at = static_cast<size_t>(before[0].data() - previous.data());
      return std::string(previous.substr(0, at)) + std::string(own[0]) +
             std::string(previous.substr(at + before[0].size()));
    }
    if (previous.size() <= kLongestCarried) {
      return std::string(previous) + " " + std::string(question);
    }
  }
  const TermIndex said(question);
  std::string carried;
  size_t count = 0;
  const auto topic = TopicWords(previous);
  const bool names_only = LacksNameOnly(question) && std::ranges::any_of(topic, IsNaming);
  for (const std::string_view word : topic) {
    if (count == kCarriedWords) break;
    if (!own.empty() && !ModelNumbers(word).empty()) continue;
    if (names_only && !IsNaming(word)) continue;
    const auto known = [&](const Term& term) { return said.Contains(term); };
    if (std::ranges::all_of(ReadQuestion(word).terms, known) || Contains(carried, word)) continue;
    carried += (carried.empty() ? "" : " ") + std::string(word);
    ++count;
  }
  if (carried.empty()) return std::string(question);
  return std::string(question) + " (" + carried + ")";
}

bool IsFaithfulRewriting(std::string_view rewritten, std::string_view question,
                         std::string_view conversation) {
  if (rewritten.empty() || rewritten.size() > kLongestRewriting) return false;
  if (rewritten.find('\n') != std::string_view::npos) return false;
  if (LanguageOf(rewritten) != LanguageOf(question)) return false;
  const auto kept = [&](std::string_view number) { return Contains(rewritten, number); };
  if (!std::ranges::all_of(ModelNumbers(question), kept)) return false;
  const auto terms = ReadQuestion(rewritten).terms;
  if (terms.empty()) return false;
  const TermIndex said(std::string(question) + "\n" + std::string(conversation));
  const auto invented =
      std::ranges::count_if(terms, [&](const Term& term) { return !said.Contains(term); });
  if (invented > 1) return false;  // a synonym may pass
  const auto asked = ReadQuestion(question).terms;
  const TermIndex again(rewritten);
  const auto lost =
      std::ranges::count_if(asked, [&](const Term& term) { return !again.Contains(term); });
  return 2 * lost <= static_cast<std::ptrdiff_t>(asked.size());
}

}  // namespace vade::qa
