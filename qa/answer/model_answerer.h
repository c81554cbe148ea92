// ModelAnswerer: a language model writes the answer from the passages; every sentence is checked
// against them before it is shown.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/language_model.h"
#include "qa/answer/answerer.h"
#include "qa/answer/grounding.h"
#include "qa/answer/prompt.h"

namespace vade::qa {

struct ModelAnswer {
  bool refused = false;
  Language language = Language::kEnglish;
  std::vector<GroundedSentence> sentences;  // empty when refused
  std::vector<Citation> citations;          // in order of number
  retriever::SearchResult search;           // what was read; the nearest passages when refused
  std::vector<retriever::Passage> shown;    // new in this prompt, in the order of their numbers
  std::vector<LedgerEntry> ledger;
  size_t budget_tokens = 0;
  engine::ModelReply generation;  // the model's own words, counts and times
  std::vector<std::string> warnings;
  std::vector<retriever::StageTiming> timings;

  /// Sentences with their [n] marks; those without support carry kUnsupportedMark.
  [[nodiscard]] std::string Text() const;
};

/// Stands after a sentence that no passage supports.
inline constexpr std::string_view kUnsupportedMark = "[?]";

/// One sentence as it is shown: what stands before it, its words, its marks.
[[nodiscard]] std::string ShowSentence(const GroundedSentence& sentence);

/// Finished sentences as they come. Nothing is given before the first supported one, so that what
/// becomes a refusal was never shown.
using SentenceSink = std::function<bool(const GroundedSentence&)>;

/// What is told on the way; any of them may be empty.
struct AnswerSinks {
  std::function<void(const retriever::SearchResult&)> found;
  engine::PrefillProgress progress;
  engine::TextSink token;  // as the model writes it, not yet checked
  SentenceSink sentence;
};

struct ModelAnswerOptions {
  retriever::SearchOptions search;
  engine::ModelRequest generate;  // without messages; max_tokens 0: DefaultAnswerTokens
  PromptHistory history;          // of the conversation this is a turn of
};

/// Room for an answer when none is asked for: 512 tokens, but at most a quarter of the context.
[[nodiscard]] constexpr size_t DefaultAnswerTokens(size_t context_length) {
  return context_length / 4 < 512 ? context_length / 4 : 512;
}

/// Thread-safe as its parts, which it does not own.
class ModelAnswerer {
 public:
  /// `reranker` may be null; so may `embedder`, for a lexical search.
  ModelAnswerer(const vectorstore::Store* store, embed::Embedder* embedder,
                engine::LanguageModel* model, retriever::Reranker* reranker = nullptr)
      : store_(store), embedder_(embedder), model_(model), reranker_(reranker) {}

  /// Errors: those of search, prompt and generation; kCancelled.
  [[nodiscard]] Result<ModelAnswer> Ask(std::string_view question,
                                        const ModelAnswerOptions& options, const AnswerSinks& sinks,
                                        const CancelToken* cancel) const;

 private:
  /// Fills the request's messages. Returns which of the passages went in.
  [[nodiscard]] Result<std::vector<size_t>> MakePrompt(const Question& question,
                                                       const PromptHistory& history,
                                                       engine::ModelRequest& request,
                                                       ModelAnswer& answer) const;

  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  engine::LanguageModel* model_;
  retriever::Reranker* reranker_;
};

}  // namespace vade::qa
