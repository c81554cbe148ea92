// The words around an answer, in the language of its question.
#include "qa/cli/answer_text.h"

#include <cstdio>
#include <iostream>

#include "engine/base/utf8.h"
#include "qa/cli/question_flags.h"

namespace vade::qa {
namespace {

constexpr size_t kQuoteBytes = 200;
constexpr size_t kNearestShown = 3;

/// Fixed phrases in the language of the question.
struct Phrases {
  const char* sources;
  const char* refused;
  const char* nearest;
};

const Phrases& PhrasesFor(Language language) {
  static constexpr Phrases kEnglish = {"Sources:", "Not in these documents.", "Nearest passages:"};
  static constexpr Phrases kKorean = {"출처:", "이 문서들에 없습니다.", "가장 가까운 부분:"};
  return language == Language::kKorean ? kKorean : kEnglish;
}

void PrintSource(const Citation& citation, const vectorstore::Store* store,
                 const Terminal& terminal) {
  const std::string link =
      store != nullptr && terminal.links() ? AbsolutePath(*store, citation.document) : "";
  std::cout << '[' << citation.number << "] "
            << terminal.FileLink(utf8::Escape(citation.path), link, citation.page_number);
  if (citation.page_number > 0) std::cout << ", p. " << utf8::Escape(citation.page);
  if (!citation.heading_path.empty()) std::cout << ", " << utf8::Escape(citation.heading_path);
  std::cout << ": \"" << terminal.Dim(Shorten(citation.quote, kQuoteBytes)) << '"';
  if (citation.match == QuoteMatch::kFuzzy) std::cout << " (not word for word)";
  std::cout << '\n';
}

}  // namespace

void PrintRefusal(Language language, const retriever::SearchResult& search,
                  const std::string& question, const Terminal& terminal) {
  const Phrases& phrases = PhrasesFor(language);
  std::cout << phrases.refused << '\n';
  if (search.passages.empty()) return;
  std::cout << '\n' << phrases.nearest << '\n';
  for (size_t i = 0; i < search.passages.size() && i < kNearestShown; ++i) {
    const retriever::Passage& passage = search.passages[i];
    std::cout << "- " << utf8::Escape(passage.path) << WhereInDocument(passage) << ": "
              << Snippet(passage.text, question, kQuoteBytes, terminal) << '\n';
  }
}

void PrintSources(Language language, const std::vector<Citation>& citations,
                  const vectorstore::Store* store, const Terminal& terminal) {
  std::cout << '\n' << PhrasesFor(language).sources << '\n';
  for (const Citation& citation : citations) PrintSource(citation, store, terminal);
}

/// Flushed, so that a reader of the pipe sees the answer before its sources.
void PrintAnswer(const Answer& answer, const vectorstore::Store& store, const Terminal& terminal) {
  std::cout << EscapeLines(answer.Text()) << std::endl;
  PrintSources(answer.language, answer.citations, &store, terminal);
}

void PrintExplanation(const Answer& answer, const Terminal& terminal) {
  const EvidenceFeatures& f = answer.evidence.features;
  char line[320];
  std::snprintf(
      line, sizeof line,
      "evidence %.3f (needed %.3f): best cosine %.3f, answer cosine %.3f, words in passage "
      "%.2f, in answer %.2f, unknown %.2f, identifiers %.2f, names %.2f, trust in dense "
      "%.2f%s",
      answer.evidence.score, kEvidenceThreshold, f.best_cosine, f.answer_cosine, f.passage_coverage,
      f.answer_coverage, f.unknown_share, f.identifier_share, f.name_share, f.dense_trust,
      f.value_missing ? ", no value found" : "");
  std::cout << '\n' << terminal.Dim(line) << '\n';
  for (const retriever::Passage& passage : answer.search.passages) {
    std::cout << terminal.Dim(utf8::Escape(passage.path) + WhereInDocument(passage) + "; " +
                              ExplainScores(passage))
              << '\n';
  }
  std::cout << terminal.Dim(ExplainSearch(answer.search)) << '\n';
}

void PrintLedger(const ModelAnswer& answer, const Terminal& terminal) {
  std::cout << '\n'
            << terminal.Dim("prompt: " + std::to_string(answer.generation.prompt_tokens) + " of " +
                            std::to_string(answer.budget_tokens) + " tokens")
            << '\n';
  for (const LedgerEntry& entry : answer.ledger) {
    std::string line = std::to_string(entry.tokens) + " tokens, " + entry.what;
    if (!entry.included) line += ": left out, " + entry.reason;
    std::cout << terminal.Dim(line) << '\n';
  }
  for (const retriever::Passage& passage : answer.search.passages) {
    std::cout << terminal.Dim(utf8::Escape(passage.path) + WhereInDocument(passage) + "; " +
                              ExplainScores(passage))
              << '\n';
  }
  std::cout << terminal.Dim(ExplainSearch(answer.search)) << '\n';
}

bool SentencePrinter::Print(const GroundedSentence& sentence) {
  std::string text = ShowSentence(sentence);
  if (!begun_) text.erase(0, text.find_first_not_of(" \t\r\n"));
  begun_ = true;
  std::cout << EscapeLines(text) << std::flush;
  return static_cast<bool>(std::cout);
}

}  // namespace vade::qa
