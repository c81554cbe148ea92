// What `search` and `ask` share: the question, filters, opening the library, explaining scores.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qa/cli/context.h"
#include "qa/cli/rerank_flags.h"
#include "retriever/retriever.h"

namespace vade::qa {

struct QuestionFlags {
  std::vector<std::string> words;  // joined by spaces; a single "-" reads stdin
  std::vector<std::string> path_globs;
  std::vector<std::string> documents;
  std::vector<std::string> collections;
  RerankFlags rerank;
  bool explain = false;
};

void AddQuestionFlags(CLI::App& command, QuestionFlags& flags);

struct OpenedLibrary {
  std::unique_ptr<vectorstore::Store> store;
  std::unique_ptr<embed::Embedder> embedder;      // null for a lexical search
  std::unique_ptr<retriever::Reranker> reranker;  // null without --rerank
  std::string question;
};

/// Opens what the question needs and fills options.filter. Returns 0, or prints and returns the
/// exit code.
[[nodiscard]] int OpenForQuestion(const Context& context, const QuestionFlags& flags,
                                  retriever::Mode mode, OpenedLibrary& library,
                                  retriever::SearchOptions& options);

/// Exit code of a failed search or answer: an empty question is a usage error.
int FailQuestion(const Error& error);

void PrintWarnings(const Context& context, const std::vector<std::string>& warnings);

/// ", p. iv, Setup > Network": where a passage stands, empty when nothing is known.
[[nodiscard]] std::string WhereInDocument(const retriever::Passage& passage);

/// "score 1.210 = lexical #1 12.310, dense #3 0.612, fused 0.910, identifier +0.250".
[[nodiscard]] std::string ExplainScores(const retriever::Passage& passage);

/// "lexical 100 candidates 0.8 ms, ...".
[[nodiscard]] std::string ExplainSearch(const retriever::SearchResult& result);

}  // namespace vade::qa
