// Flags and explanations common to `search` and `ask`.
#include "qa/cli/question_flags.h"

#include <CLI/CLI.hpp>
#include <cstdarg>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "engine/base/utf8.h"
#include "qa/cli/terminal.h"

namespace vade::qa {
namespace {

constexpr size_t kMaxQuestionBytes = size_t{16} << 20;

__attribute__((format(printf, 1, 2))) std::string Format(const char* format, ...) {
  char buffer[160];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::string ReadStdin() {
  std::string text;
  char buffer[4096];
  while (text.size() < kMaxQuestionBytes && std::cin.read(buffer, sizeof buffer)) {
    text.append(buffer, sizeof buffer);
  }
  text.append(buffer, static_cast<size_t>(std::cin.gcount()));
  return text;
}

std::string JoinWords(const std::vector<std::string>& words) {
  if (words.size() == 1 && words[0] == "-") return ReadStdin();
  std::string question;
  for (const std::string& word : words) {
    if (!question.empty()) question += ' ';
    question += word;
  }
  return question;
}

}  // namespace

void AddQuestionFlags(CLI::App& command, QuestionFlags& flags) {
  command.add_option("question", flags.words, "The question; - reads it from standard input")
      ->required();
  command.add_option("--path", flags.path_globs, "Only documents matching GLOB (repeatable)")
      ->type_name("GLOB");
  command.add_option("--document", flags.documents, "Only this document (repeatable)")
      ->type_name("PATH");
  command.add_option("-c,--collection", flags.collections, "Only this collection (repeatable)")
      ->type_name("NAME");
  AddRerankFlags(command, flags.rerank);
  command.add_flag("--explain", flags.explain, "Show how each stage scored, and its time");
}

int OpenForQuestion(const Context& context, const QuestionFlags& flags, retriever::Mode mode,
                    OpenedLibrary& library, retriever::SearchOptions& options) {
  library.question = JoinWords(flags.words);
  if (library.question.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    return FailUsage("the question is empty");
  }
  int code = kOk;
  library.store = OpenStore(context, {.read_only = true, .create = false}, &code);
  if (library.store == nullptr) return code;
  if (mode != retriever::Mode::kLexical) {
    library.embedder = OpenEmbedder(context, library.store.get(), &code);
    if (library.embedder == nullptr) return code;
  }
  library.reranker = OpenReranker(context, flags.rerank, &code);
  if (code != kOk) return code;
  options.rerank = flags.rerank.top;
  options.filter.path_globs = flags.path_globs;
  options.filter.collections = flags.collections;
  auto documents = FindDocuments(*library.store, flags.documents);
  if (!documents) return FailQuestion(documents.error());
  options.filter.documents = std::move(*documents);
  return kOk;
}

int FailQuestion(const Error& error) {
  // A store that is open does not become unavailable: it is a server that did.
  const bool is_input =
      error.code == ErrorCode::kInvalidArgument || error.code == ErrorCode::kUnavailable;
  return is_input ? FailInput(error) : FailStore(error);
}

void PrintWarnings(const Context& context, const std::vector<std::string>& warnings) {
  if (context.global.quiet) return;
  for (const std::string& warning : warnings) {
    std::fprintf(stderr, "vade: warning: %s\n", warning.c_str());
  }
}

std::string WhereInDocument(const retriever::Passage& passage) {
  std::string where;
  if (passage.first_page_number > 0) {
    where += ", p. " + utf8::Escape(passage.first_page);
    if (passage.last_page_number != passage.first_page_number) {
      where += "-" + utf8::Escape(passage.last_page);
    }
  }
  if (!passage.heading_path.empty()) where += ", " + utf8::Escape(passage.heading_path);
  return where;
}

std::string ExplainScores(const retriever::Passage& passage) {
  std::string line = Format("score %.3f:", passage.score);
  const auto add = [&](const char* stage, const std::optional<retriever::StageScore>& score) {
    if (!score) {
      line += Format(" %s -,", stage);
    } else if (score->rank > 0) {
      line += Format(" %s #%zu %.3f,", stage, score->rank, score->score);
    } else {
      line += Format(" %s %.3f,", stage, score->score);
    }
  };
  add("lexical", passage.lexical);
  add("dense", passage.dense);
  if (passage.fused) add("fused", passage.fused);
  if (passage.reranked) add("reranked", passage.reranked);
  if (passage.name_credit != 0) line += Format(" name %+.3f,", passage.name_credit);
  if (passage.identifier_bonus != 0) line += Format(" identifier %+.3f,", passage.identifier_bonus);
  line.pop_back();
  return line;
}

std::string ExplainSearch(const retriever::SearchResult& result) {
  std::string line =
      Format("%zu lexical and %zu dense candidates, dense weight %.2f;", result.lexical_candidates,
             result.dense_candidates, result.dense_weight);
  for (const retriever::StageTiming& timing : result.timings) {
    line += Format(" %s %.1f ms,", timing.stage.c_str(), timing.ms);
  }
  line.pop_back();
  return line;
}

}  // namespace vade::qa
