// Question: what is asked, read from its words. Rules for English and Korean, no model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vade::qa {

enum class Language : uint8_t { kEnglish, kKorean };

/// The form an answer should take.
enum class QuestionKind : uint8_t {
  kFact,       // a sentence
  kProcedure,  // "how do I ...": steps in order
  kNumber,     // "how many", "what is the maximum ...": a value
  kTime,       // "when", "how long", "how often"
  kPlace,      // "where"
  kReason,     // "why"
  kYesNo,
};

[[nodiscard]] std::string_view KindName(QuestionKind kind);

/// A content word of the question. English words meet in their stem; a Hangul word carries
/// particles and endings of unknown length, so it meets any text that contains one of its `stems`.
struct Term {
  std::string key;  // as the lexical index knows it; of Hangul: its first two syllables
  std::vector<std::string> stems;  // Hangul: the word without its endings; else empty
};

struct Question {
  std::string text;
  Language language = Language::kEnglish;
  QuestionKind kind = QuestionKind::kFact;
  std::vector<Term> terms;               // distinct content words
  std::vector<std::string> identifiers;  // retriever::IdentifierKeys
  std::vector<std::string> names;        // capitalised words after the first, as written
};

/// Never fails; text in an unknown language is kEnglish / kFact with its words as terms.
[[nodiscard]] Question ReadQuestion(std::string_view text);

/// Korean when at least a third of the letters are Hangul (model names are Latin in both).
[[nodiscard]] Language LanguageOf(std::string_view text);

/// A text prepared to be asked which terms it contains. Linear in the text.
class TermIndex {
 public:
  explicit TermIndex(std::string_view text);
  [[nodiscard]] bool Contains(const Term& term) const;

 private:
  std::string text_;
  std::unordered_set<std::string> words_;
};

}  // namespace vade::qa
