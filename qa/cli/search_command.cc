// vade search: ranked passages, with each stage's score on --explain.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/answer/json_format.h"
#include "qa/cli/context.h"
#include "qa/cli/question_flags.h"
#include "qa/cli/terminal.h"
#include "retriever/retriever.h"

namespace vade::qa {
namespace {

constexpr size_t kSnippetBytes = 320;

struct SearchFlags {
  QuestionFlags question;
  std::string mode = "hybrid";
  size_t count = 10;
};

void PrintPassage(const retriever::Passage& passage, size_t rank, const std::string& question,
                  bool explain, const vectorstore::Store& store, const Terminal& terminal) {
  const std::string link = terminal.links() ? AbsolutePath(store, passage.document) : "";
  std::cout << rank << ". "
            << terminal.FileLink(terminal.Bold(utf8::Escape(passage.path)), link,
                                 passage.first_page_number)
            << WhereInDocument(passage) << '\n';
  std::cout << "   " << Snippet(passage.text, question, kSnippetBytes, terminal) << '\n';
  if (explain) std::cout << "   " << terminal.Dim(ExplainScores(passage)) << '\n';
  for (const std::string& other : passage.duplicates) {
    std::cout << "   " << terminal.Dim("same text: " + utf8::Escape(other)) << '\n';
  }
}

int RunSearch(const Context& context, const SearchFlags& flags) {
  retriever::SearchOptions options;
  const auto mode = retriever::ParseMode(flags.mode);
  if (!mode) {
    return FailUsage("--mode: got '" + utf8::Escape(flags.mode) +
                     "', expected lexical, dense or hybrid");
  }
  options.mode = *mode;
  options.k = flags.count;
  OpenedLibrary library;
  if (const int code = OpenForQuestion(context, flags.question, *mode, library, options)) {
    return code;
  }
  const retriever::Retriever retriever(library.store.get(), library.embedder.get(),
                                       library.reranker.get());
  const auto result = retriever.Search(library.question, options);
  if (!result) return FailQuestion(result.error());
  PrintWarnings(context, result->warnings);
  if (context.global.json) {
    nlohmann::json out = ToJson(*result);
    out["question"] = utf8::Repair(library.question);
    out["mode"] = retriever::ModeName(*mode);
    std::cout << out.dump(2) << '\n';
    return result->passages.empty() ? kNoEvidence : kOk;
  }
  const Terminal terminal = Terminal::ForStdout();
  for (size_t i = 0; i < result->passages.size(); ++i) {
    PrintPassage(result->passages[i], i + 1, library.question, flags.question.explain,
                 *library.store, terminal);
  }
  if (flags.question.explain) std::cout << terminal.Dim(ExplainSearch(*result)) << '\n';
  if (!result->passages.empty()) return kOk;
  std::fprintf(stderr, "vade: no passage matches\n");
  return kNoEvidence;
}

}  // namespace

void RegisterSearch(CLI::App& app, Context& context) {
  auto flags = std::make_shared<SearchFlags>();
  CLI::App* command = app.add_subcommand("search", "Show the passages that fit a question best");
  AddQuestionFlags(*command, flags->question);
  command->add_option("-n,--count", flags->count, "Passages to show")
      ->check(CLI::Range(size_t{1}, size_t{1000}))
      ->capture_default_str();
  command->add_option("-m,--mode", flags->mode, "lexical, dense or hybrid")->capture_default_str();
  command->callback([&context, flags] {
    context.run = [&context, flags] { return RunSearch(context, *flags); };
  });
}

}  // namespace vade::qa
