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

Result<engine::ChatPrompt> ModelAnswerer::MakePrompt(const Question& question, size_t answer_tokens,
                                                     const PromptHistory& history,
                                                     ModelAnswer& answer,
                                                     std::vector<size_t>& shown) const {
  const size_t context = engine_->context_length();
  if (answer_tokens >= context) {
    return Fail(ErrorCode::kInvalidArgument,
                "an answer of " + std::to_string(answer_tokens) + " tokens and a context of " +
                    std::to_string(context) + " leave no room for passages");
  }
  const tokenizer::Tokenizer& tokenizer = engine_->tokenizer();
  // Templates differ in what they add: should the whole not fit, a smaller budget is tried.
  for (size_t budget = context - answer_tokens;;) {
    VADE_TRY(GroundedPrompt prompt,
             BuildPrompt(
                 question, answer.search.passages, budget,
                 [&](std::string_view text) { return tokenizer.Count(text); }, history));
    VADE_TRY(engine::ChatPrompt chat,
             engine::BuildChatPrompt(tokenizer, engine_->chat_template(), prompt.messages));
    const size_t over =
        chat.ids.size() + answer_tokens - std::min(chat.ids.size() + answer_tokens, context);
    if (over == 0) {
      answer.ledger = std::move(prompt.ledger);
      answer.budget_tokens = budget;
      shown = std::move(prompt.passages);
      return chat;
    }
    budget -= std::min(over, budget);
  }
}

Result<ModelAnswer> ModelAnswerer::Ask(std::string_view text, const ModelAnswerOptions& options,
                                       const SentenceSink& sink, const CancelToken* cancel,
                                       const engine::PrefillProgress& progress) const {
  ModelAnswer answer;
  const Question question = ReadQuestion(text);
  answer.language = question.language;
  VADE_TRY(answer.search, retriever::Retriever(store_, embedder_).Search(text, options.search));
  answer.timings = answer.search.timings;
  answer.warnings = answer.search.warnings;
  if (answer.search.passages.empty() && options.history.passages.empty()) {
    answer.refused = true;
    return answer;
  }
  retriever::StageTimer timer(answer.timings);
  engine::GenerateOptions generate = options.generate;
  if (generate.max_tokens == 0) {
    generate.max_tokens = DefaultAnswerTokens(engine_->context_length());
  }
  std::vector<size_t> shown;
  VADE_TRY(const engine::ChatPrompt chat,
           MakePrompt(question, generate.max_tokens, options.history, answer, shown));
  answer.prompt = chat.text;
  answer.warnings.insert(answer.warnings.end(), chat.warnings.begin(), chat.warnings.end());
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
  Release release(sink, answer.sentences);
  std::optional<Error> failed;
  VADE_TRY(answer.generation, session_->Generate(
                                  chat.ids, generate,
                                  [&](std::string_view piece) {
                                    auto sentences = grounder.Append(piece);
                                    if (!sentences) {
                                      failed = sentences.error();
                                      return false;
                                    }
                                    return release.Add(*std::move(sentences));
                                  },
                                  cancel, progress));
  if (failed) return tl::unexpected(*failed);
  if (answer.generation.reason == engine::StopReason::kCancelled) {
    return Fail(ErrorCode::kCancelled, "interrupted");
  }
  VADE_TRY(auto rest, grounder.Finish());
  release.Add(std::move(rest));
  if (answer.generation.reason == engine::StopReason::kMaxTokens) {
    answer.warnings.push_back("the answer was cut at " + std::to_string(generate.max_tokens) +
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
