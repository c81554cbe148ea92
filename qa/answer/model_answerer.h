// ModelAnswerer: a language model writes the answer from the passages; every sentence is checked
// against them before it is shown.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/decoder_engine.h"
#include "engine/session.h"
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
  std::string prompt;             // as the model got it
  engine::Generation generation;  // the model's own words, counts and times
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

struct ModelAnswerOptions {
  retriever::SearchOptions search;
  engine::GenerateOptions generate;  // max_tokens 0: DefaultAnswerTokens
  PromptHistory history;             // of the conversation this is a turn of
};

/// Room for an answer when none is asked for: 512 tokens, but at most a quarter of the context.
[[nodiscard]] constexpr size_t DefaultAnswerTokens(size_t context_length) {
  return context_length / 4 < 512 ? context_length / 4 : 512;
}

/// Single-thread. Does not own its parts; `engine` and `session` belong together.
class ModelAnswerer {
 public:
  ModelAnswerer(const vectorstore::Store* store, embed::Embedder* embedder,
                engine::DecoderEngine* engine, engine::Session* session)
      : store_(store), embedder_(embedder), engine_(engine), session_(session) {}

  /// Errors: those of search, prompt and generation; kCancelled.
  [[nodiscard]] Result<ModelAnswer> Ask(std::string_view question,
                                        const ModelAnswerOptions& options, const SentenceSink& sink,
                                        const CancelToken* cancel,
                                        const engine::PrefillProgress& progress = {}) const;

 private:
  [[nodiscard]] Result<engine::ChatPrompt> MakePrompt(const Question& question,
                                                      size_t answer_tokens,
                                                      const PromptHistory& history,
                                                      ModelAnswer& answer,
                                                      std::vector<size_t>& shown) const;

  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  engine::DecoderEngine* engine_;
  engine::Session* session_;
};

}  // namespace vade::qa
