#include "qa/answer/model_answerer.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "retriever/stage_timer.h"

namespace vade::qa {
namespace {

/// Passes sentences on, but holds them back until one has support.
class Release {
 public:
  Release(const SentenceSink& sink, std::vector<GroundedSentence>& kept)
      : sink_(sink), kept_(kept) {}

  bool Add(std::vector<GroundedSentence> sentences) {
    for (GroundedSentence& sentence : sentences) {
      supported_ |= sentence.support != Support::kNone;
      kept_.push_back(std::move(sentence));
    }
    while (supported_ && open_ && shown_ < kept_.size()) {
      open_ = !sink_ || sink_(kept_[shown_]);
      ++shown_;
    }
    return open_;
  }
  [[nodiscard]] bool supported() const { return supported_; }

 private:
  const SentenceSink& sink_;
  std::vector<GroundedSentence>& kept_;
  size_t shown_ = 0;
  bool supported_ = false;
  bool open_ = true;
};

}  // namespace

std::string ShowSentence(const GroundedSentence& sentence) {
  std::string text = sentence.before + sentence.text;
  if (sentence.support == Support::kNone) return text.append(" ").append(kUnsupportedMark);
  for (const size_t number : sentence.citations) text += " [" + std::to_string(number) + "]";
  return text;
}

std::string ModelAnswer::Text() const {
  std::string text;
  for (const GroundedSentence& sentence : sentences) text += ShowSentence(sentence);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : text.substr(begin);
}

Result<std::vector<size_t>> ModelAnswerer::MakePrompt(const Question& question,
                                                      const PromptHistory& history,
                                                      engine::ModelRequest& request,
                                                      ModelAnswer& answer) const {
  const size_t context = model_->context_length();
  const size_t answer_tokens = request.max_tokens;
  if (answer_tokens >= context) {
    return Fail(ErrorCode::kInvalidArgument,
                "an answer of " + std::to_string(answer_tokens) + " tokens and a context of " +
                    std::to_string(context) + " leave no room for passages");
  }
  // Templates differ in what they add: should the whole not fit, a smaller budget is tried.
  for (size_t budget = context - answer_tokens;;) {
    VADE_TRY(GroundedPrompt prompt,
             BuildPrompt(
                 question, answer.search.passages, budget,
                 [&](std::string_view text) { return model_->CountTokens(text); }, history));
    request.messages = std::move(prompt.messages);
    VADE_TRY(const engine::PromptCount count, model_->CountPrompt(request));
    const size_t wanted = count.tokens + answer_tokens;
    if (wanted <= context) {
      answer.ledger = std::move(prompt.ledger);
      answer.budget_tokens = budget;
      return std::move(prompt.passages);
    }
    budget -= std::min(wanted - context, budget);
  }
}

Result<ModelAnswer> ModelAnswerer::Ask(std::string_view text, const ModelAnswerOptions& options,
                                       const AnswerSinks& sinks, const CancelToken* cancel) const {
  ModelAnswer answer;
  const Question question = ReadQuestion(text);
  answer.language = question.language;
  VADE_TRY(answer.search,
           retriever::Retriever(store_, embedder_, reranker_).Search(text, options.search));
  if (sinks.found) sinks.found(answer.search);
  answer.timings = answer.search.timings;
  answer.warnings = answer.search.warnings;
  if (answer.search.passages.empty() && options.history.passages.empty()) {
    answer.refused = true;
    return answer;
  }
  retriever::StageTimer timer(answer.timings);
  engine::ModelRequest request = options.generate;
  if (request.max_tokens == 0) request.max_tokens = DefaultAnswerTokens(model_->context_length());
  VADE_TRY(const std::vector<size_t> shown, MakePrompt(question, options.history, request, answer));
  for (const size_t i : shown) answer.shown.push_back(answer.search.passages[i]);
  // What may be cited: the passages of the conversation, then those of this turn.
  std::vector<retriever::Passage> cited = options.history.passages;
  cited.insert(cited.end(), answer.shown.begin(), answer.shown.end());
  std::vector<size_t> numbered(cited.size());
  std::iota(numbered.begin(), numbered.end(), size_t{0});
  retriever::DocumentCache documents(store_);
  VADE_TRY(const std::vector<Section> sections, ReadSections(cited, documents));
  timer.Lap("prompt");

  Grounder grounder(*store_, cited, sections, std::move(numbered));
  Release release(sinks.sentence, answer.sentences);
  std::optional<Error> failed;
  VADE_TRY(answer.generation, model_->Generate(
                                  request,
                                  [&](std::string_view piece) {
                                    if (sinks.token && !sinks.token(piece)) return false;
                                    auto sentences = grounder.Append(piece);
                                    if (!sentences) {
                                      failed = sentences.error();
                                      return false;
                                    }
                                    return release.Add(*std::move(sentences));
                                  },
                                  cancel, sinks.progress));
  if (failed) return tl::unexpected(*failed);
  if (answer.generation.reason == engine::StopReason::kCancelled) {
    return Fail(ErrorCode::kCancelled, "interrupted");
  }
  answer.warnings.insert(answer.warnings.end(), answer.generation.warnings.begin(),
                         answer.generation.warnings.end());
  VADE_TRY(auto rest, grounder.Finish());
  release.Add(std::move(rest));
  if (answer.generation.reason == engine::StopReason::kMaxTokens) {
    answer.warnings.push_back("the answer was cut at " + std::to_string(request.max_tokens) +
                              " tokens (--max-tokens raises it)");
  }
  answer.refused = !release.supported();
  if (answer.refused) {
    answer.sentences.clear();
  } else {
    answer.citations = grounder.citations();
  }
  timer.Lap("generate");
  return answer;
}

}  // namespace vade::qa
