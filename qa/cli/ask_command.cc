// vade ask: an answer from the documents' own words with proven citations, or exit code 8.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "engine/base/utf8.h"
#include "qa/answer/answerer.h"
#include "qa/answer/json_format.h"
#include "qa/answer/model_answerer.h"
#include "qa/cli/answer_text.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/progress.h"
#include "qa/cli/question_flags.h"
#include "qa/cli/terminal.h"

namespace vade::qa {
namespace {

struct AskFlags {
  QuestionFlags question;
  size_t count = 8;
  ModelFlags model;
  SamplingFlags sampling;
};

/// With -m: a language model writes, sentence by sentence.
int AskModel(const Context& context, const AskFlags& flags, const OpenedLibrary& library,
             const retriever::SearchOptions& search) {
  ModelAnswerOptions options;
  options.search = search;
  auto generate = ToModelRequest(flags.sampling);
  if (!generate) return FailInput(generate.error());
  options.generate = *std::move(generate);
  int exit_code = kOk;
  const auto model = OpenLanguageModel(context, flags.model, &exit_code);
  if (model == nullptr) return exit_code;
  const ModelAnswerer answerer(library.store.get(), library.embedder.get(), model.get(),
                               library.reranker.get());
  const Terminal terminal = Terminal::ForStdout();
  Progress progress("Reading the passages", context.global.quiet);
  SentencePrinter printer;
  AnswerSinks sinks;
  sinks.sentence = [&](const GroundedSentence& sentence) {
    return context.global.json || printer.Print(sentence);
  };
  sinks.progress = [&](size_t done, size_t total) { progress.Update(done, total, "tokens"); };
  const auto answer = answerer.Ask(library.question, options, sinks, &context.cancel);
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
    PrintSources(answer->language, answer->citations, library.store.get(), terminal);
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
  const Answerer answerer(library.store.get(), library.embedder.get(), library.reranker.get());
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
