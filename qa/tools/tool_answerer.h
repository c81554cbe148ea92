// ToolAnswerer: a model answers with the help of tools; what it says of the documents it read with
// them is checked against their pages, sentence by sentence, as ModelAnswerer does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/language_model.h"
#include "qa/answer/model_answerer.h"
#include "qa/answer/prompt.h"
#include "qa/tools/tool_loop.h"
#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::qa {

struct ToolAnswerOptions {
  retriever::SearchOptions search;  // what a search of the library begins with
  engine::ModelRequest generate;    // without messages; max_tokens 0: DefaultAnswerTokens
  PromptHistory history;            // of the conversation this is a turn of
  std::vector<Tool> tools;          // besides those of the library
  ToolLoopOptions loop;
};

struct ToolAnswer {
  bool is_grounded = false;  // documents were read: `sentences` were checked
  bool refused = false;  // they were, nothing it said is in them, and no other tool gave anything
  Language language = Language::kEnglish;
  std::vector<GroundedSentence> sentences;  // when grounded
  std::vector<Citation> citations;
  std::vector<retriever::Passage> shown;  // new passages, in the order of their numbers
  ToolRun run;
  std::vector<std::string> warnings;

  /// As it is shown: checked sentences with their marks, or the model's own words.
  [[nodiscard]] std::string Text() const;
};

/// Thread-safe as its parts, which it does not own. `store` null: no tools of the library.
class ToolAnswerer {
 public:
  ToolAnswerer(const vectorstore::Store* store, embed::Embedder* embedder,
               engine::LanguageModel* model)
      : store_(store), embedder_(embedder), model_(model) {}

  /// Errors: those of the loop and the store; kCancelled.
  [[nodiscard]] Result<ToolAnswer> Ask(std::string_view question, const ToolAnswerOptions& options,
                                       const ToolLoopSinks& sinks, const CancelToken* cancel) const;

 private:
  [[nodiscard]] Result<void> Ground(const std::vector<retriever::Passage>& passages,
                                    ToolAnswer& answer) const;

  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  engine::LanguageModel* model_;
};

}  // namespace vade::qa
