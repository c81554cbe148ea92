// IsStopWord(): the words, as written in a dictionary, and the set of their folded forms.
#include <array>
#include <string>
#include <string_view>
#include <unordered_set>

#include "vectorstore/lexical_tokenizer.h"
#include "vectorstore/porter2.h"

namespace vade::vectorstore {
namespace {

// English function and question words. A negation is kept out: "not" can carry the topic.
constexpr std::array<std::string_view, 119> kEnglishStopWords = {
    "a",       "about",   "above",   "after",  "again", "all",  "also",    "am",      "an",
    "and",     "any",     "are",     "as",     "at",    "be",   "because", "been",    "before",
    "being",   "below",   "between", "both",   "but",   "by",   "can",     "could",   "did",
    "do",      "does",    "doing",   "during", "each",  "for",  "from",    "further", "had",
    "has",     "have",    "having",  "he",     "her",   "here", "hers",    "him",     "his",
    "how",     "i",       "if",      "in",     "into",  "is",   "it",      "its",     "itself",
    "me",      "more",    "most",    "my",     "of",    "on",   "or",      "other",   "our",
    "ours",    "over",    "own",     "please", "s",     "same", "shall",   "she",     "should",
    "so",      "some",    "such",    "t",      "than",  "that", "the",     "their",   "theirs",
    "them",    "then",    "there",   "these",  "they",  "this", "those",   "through", "to",
    "too",     "under",   "until",   "us",     "very",  "was",  "we",      "were",    "what",
    "when",    "where",   "which",   "while",  "who",   "whom", "whose",   "why",     "will",
    "with",    "would",   "you",     "your",   "yours", "i'm",  "it's",    "what's",  "don't",
    "doesn't", "there's",
};

// Korean particles, endings and question words, as the syllables and bigrams they become.
constexpr std::array<std::string_view, 29> kKoreanStopWords = {
    "은",   "는",   "이",   "가",   "을",   "를",   "에",   "의",   "도",   "로",
    "와",   "과",   "요",   "까",   "나",   "인",   "한",   "하",   "해",   "인가",
    "가요", "나요", "니까", "인지", "까요", "는지", "하는", "하나", "어떻",
};

std::unordered_set<std::string> BuildStopWords() {
  std::unordered_set<std::string> words;
  for (const std::string_view word : kEnglishStopWords) words.insert(StemEnglish(word));
  for (const std::string_view word : kKoreanStopWords) words.emplace(word);
  return words;
}

}  // namespace

bool IsStopWord(std::string_view term) {
  static const std::unordered_set<std::string> words = BuildStopWords();
  return words.contains(std::string(term));
}

}  // namespace vade::vectorstore
