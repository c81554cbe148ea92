// Answers, sources and refusals on standard output, as `ask` and `chat` print them.
#pragma once

#include <string>
#include <vector>

#include "qa/answer/answerer.h"
#include "qa/answer/model_answerer.h"
#include "qa/cli/terminal.h"

namespace vade::qa {

/// `store` may be null: then no links to files.
void PrintSources(Language language, const std::vector<Citation>& citations,
                  const vectorstore::Store* store, const Terminal& terminal);

/// "Not in these documents." and the nearest passages.
void PrintRefusal(Language language, const retriever::SearchResult& search,
                  const std::string& question, const Terminal& terminal);

/// Flushed before its sources, so that a reader of the pipe sees the answer first.
void PrintAnswer(const Answer& answer, const vectorstore::Store& store, const Terminal& terminal);

/// The evidence of a composed answer, and how its passages scored.
void PrintExplanation(const Answer& answer, const Terminal& terminal);

/// What went into a model's prompt, what was left out and why.
void PrintLedger(const ModelAnswer& answer, const Terminal& terminal);

/// Prints sentences of a model's answer as they come.
class SentencePrinter {
 public:
  /// False when standard output is gone.
  bool Print(const GroundedSentence& sentence);

 private:
  bool begun_ = false;
};

}  // namespace vade::qa
