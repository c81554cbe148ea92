// vade ask: an answer from the documents' own words with proven citations, or exit code 8.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "engine/base/utf8.h"
#include "qa/answer/answerer.h"
#include "qa/answer/json_format.h"
#include "qa/answer/model_answerer.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/progress.h"
#include "qa/cli/question_flags.h"
#include "qa/cli/terminal.h"

namespace vade::qa {
namespace {

constexpr size_t kQuoteBytes = 200;
constexpr size_t kNearestShown = 3;

struct AskFlags {
  QuestionFlags question;
  size_t count = 8;
  ModelFlags model;
  SamplingFlags sampling;
};

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

void PrintSource(const Citation& citation, const vectorstore::Store& store,
                 const Terminal& terminal) {
  const std::string link = terminal.links() ? AbsolutePath(store, citation.document) : "";
  std::cout << '[' << citation.number << "] "
            << terminal.FileLink(utf8::Escape(citation.path), link, citation.page_number);
  if (citation.page_number > 0) std::cout << ", p. " << utf8::Escape(citation.page);
  if (!citation.heading_path.empty()) std::cout << ", " << utf8::Escape(citation.heading_path);
  std::cout << ": \"" << terminal.Dim(Shorten(citation.quote, kQuoteBytes)) << '"';
  if (citation.match == QuoteMatch::kFuzzy) std::cout << " (not word for word)";
  std::cout << '\n';
}

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
                  const vectorstore::Store& store, const Terminal& terminal) {
  std::cout << '\n' << PhrasesFor(language).sources << '\n';
  for (const Citation& citation : citations) PrintSource(citation, store, terminal);
}

/// Flushed, so that a reader of the pipe sees the answer before its sources.
void PrintAnswer(const Answer& answer, const vectorstore::Store& store, const Terminal& terminal) {
  std::cout << EscapeLines(answer.Text()) << std::endl;
  PrintSources(answer.language, answer.citations, store, terminal);
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

/// With -m: a language model writes, sentence by sentence.
int AskModel(const Context& context, const AskFlags& flags, const OpenedLibrary& library,
             const retriever::SearchOptions& search) {
  ModelAnswerOptions options;
  options.search = search;
  auto generate = ToGenerateOptions(flags.sampling);
  if (!generate) return FailInput(generate.error());
  options.generate = *std::move(generate);
  int exit_code = kOk;
  const auto engine = LoadLanguageModel(context, flags.model, &exit_code);
  if (engine == nullptr) return exit_code;
  engine::Session session(*engine);
  const ModelAnswerer answerer(library.store.get(), library.embedder.get(), engine.get(), &session);
  const Terminal terminal = Terminal::ForStdout();
  Progress progress("Reading the passages", context.global.quiet);
  bool begun = false;
  const auto show = [&](const GroundedSentence& sentence) {
    if (context.global.json) return true;
    std::string text = ShowSentence(sentence);
    if (!begun) text.erase(0, text.find_first_not_of(" \t\r\n"));
    begun = true;
    std::cout << EscapeLines(text) << std::flush;
    return static_cast<bool>(std::cout);
  };
  const auto answer =
      answerer.Ask(library.question, options, show, &context.cancel,
                   [&](size_t done, size_t total) { progress.Update(done, total, "tokens"); });
  if (!answer && answer.error().code == ErrorCode::kCancelled) return kInterrupted;
  if (!answer) return FailQuestion(answer.error());
  PrintWarnings(context, answer->warnings);
  const int code = answer->refused ? kNoEvidence : kOk;
  if (context.global.json) {
    nlohmann::json out = ToJson(*answer);
    out["question"] = utf8::Repair(library.question);
    std::cout << out.dump(2) << '\n';
    return code;
  }
  if (answer->refused) {
    PrintRefusal(answer->language, answer->search, library.question, terminal);
  } else {
    std::cout << '\n';
    PrintSources(answer->language, answer->citations, *library.store, terminal);
  }
  if (flags.question.explain) PrintLedger(*answer, terminal);
  return code;
}

int RunAsk(const Context& context, const AskFlags& flags) {
  AnswerOptions options;
  options.search.k = flags.count;
  OpenedLibrary library;
  if (const int code =
          OpenForQuestion(context, flags.question, options.search.mode, library, options.search)) {
    return code;
  }
  if (!flags.model.path.empty()) return AskModel(context, flags, library, options.search);
  const Answerer answerer(library.store.get(), library.embedder.get());
  const auto answer = answerer.Ask(library.question, options);
  if (!answer) return FailQuestion(answer.error());
  PrintWarnings(context, answer->search.warnings);
  const int code = answer->refused ? kNoEvidence : kOk;
  if (context.global.json) {
    nlohmann::json out = ToJson(*answer);
    out["question"] = utf8::Repair(library.question);
    std::cout << out.dump(2) << '\n';
    return code;
  }
  const Terminal terminal = Terminal::ForStdout();
  if (answer->refused) {
    PrintRefusal(answer->language, answer->search, library.question, terminal);
  } else {
    PrintAnswer(*answer, *library.store, terminal);
  }
  if (flags.question.explain) PrintExplanation(*answer, terminal);
  return code;
}

}  // namespace

void RegisterAsk(CLI::App& app, Context& context) {
  auto flags = std::make_shared<AskFlags>();
  CLI::App* command = app.add_subcommand(
      "ask", "Answer a question from the documents, with citations (exit code 8: not in them)");
  AddQuestionFlags(*command, flags->question);
  command->add_option("-n,--count", flags->count, "Passages to read for the answer")
      ->check(CLI::Range(size_t{1}, size_t{100}))
      ->capture_default_str();
  AddModelFlags(*command, flags->model, false);
  flags->sampling.sampling.temperature = 0;  // the likeliest words, and the same each time
  AddSamplingFlags(*command, flags->sampling, "--max-tokens");
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunAsk(context, *flags); }; });
}

}  // namespace vade::qa
