#include "qa/chat/chat.h"

#include <algorithm>
#include <utility>

#include "qa/chat/follow_up.h"

namespace vade::qa {
namespace {

constexpr size_t kDigestBytes = 1200;
constexpr size_t kRewritingTokens = 64;

constexpr std::string_view kRewriteEnglish =
    "Rewrite the last question so that it can be understood without the conversation: put in the "
    "names it refers to, add nothing else, keep its language. Answer with the question only.";
constexpr std::string_view kRewriteKorean =
    "마지막 질문을 앞의 대화 없이도 이해되도록 고쳐 쓰십시오. 가리키는 이름만 채우고 다른 것은 "
    "더하지 마십시오. 고친 질문만 한국어로 쓰십시오.";

std::string_view RefusalIn(Language language) {
  return language == Language::kKorean ? "이 문서들에 없습니다." : "Not in these documents.";
}

std::string Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n\"");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n\"") - begin + 1));
}

}  // namespace

/// Empty when the model gives nothing of use; then the topic is carried by rules.
std::string Chat::RewriteByModel(std::string_view question, const CancelToken* cancel) const {
  const std::string digest = history_.Digest(kDigestBytes);
  const bool korean = LanguageOf(question) == Language::kKorean;
  engine::ModelRequest request;
  request.messages = {{"system", std::string(korean ? kRewriteKorean : kRewriteEnglish)},
                      {"user", digest + "\nLast question: " + std::string(question)}};
  request.sampling.temperature = 0;
  request.max_tokens = kRewritingTokens;
  request.stop = {"\n"};
  request.aside = true;
  const auto written = model_->Generate(request, {}, cancel);
  if (!written) return "";
  std::string rewritten = Trimmed(written->text);
  return IsFaithfulRewriting(rewritten, question, digest) ? rewritten : "";
}

std::string Chat::Standalone(std::string_view question, const CancelToken* cancel,
                             Rewriting& rewriting) const {
  rewriting = Rewriting::kNone;
  if (history_.turns().empty() || !IsFollowUp(question)) return std::string(question);
  if (model_ != nullptr) {
    std::string rewritten = RewriteByModel(question, cancel);
    if (!rewritten.empty()) {
      rewriting = Rewriting::kByModel;
      return rewritten;
    }
  }
  std::string carried = CarryTopic(question, history_.turns().back().standalone);
  if (carried != question) rewriting = Rewriting::kCarried;
  return carried;
}

PromptHistory Chat::Remember(const ChatOptions& options, ChatReply& reply) const {
  if (model_ == nullptr) return {};
  reply.budget_tokens =
      options.history_tokens.value_or(DefaultHistoryTokens(model_->context_length()));
  PromptHistory history = history_.ForPrompt(
      reply.budget_tokens, [&](std::string_view text) { return model_->CountTokens(text); });
  reply.history_turns = history.messages.size() / 2;
  reply.history_tokens = history.tokens;
  reply.left_out_turns = history_.turns().size() - reply.history_turns;
  return history;
}

Result<ChatTurn> Chat::Compose(const ChatOptions& options, const ChatSinks& sinks,
                               ChatReply& reply) const {
  AnswerOptions ask;
  ask.search = options.search;
  if (reply.rewriting != Rewriting::kNone) ask.carried = history_.turns().back().passages;
  VADE_TRY(reply.composed, Answerer(store_, embedder_, reranker_).Ask(reply.standalone, ask));
  const Answer& answer = *reply.composed;
  if (sinks.found) sinks.found(answer.search);
  reply.warnings = answer.search.warnings;
  ChatTurn turn;
  turn.refused = answer.refused;
  turn.answer = answer.refused ? RefusalIn(answer.language) : answer.Text();
  turn.citations = answer.citations;
  if (!answer.refused) {
    for (const retriever::Passage& passage : answer.search.passages) {  // those it came from
      const auto cited = [&](const Citation& citation) {
        return citation.document == passage.document && citation.begin >= passage.begin &&
               citation.begin < passage.end;
      };
      if (std::ranges::any_of(answer.citations, cited)) turn.passages.push_back(passage);
    }
  }
  return turn;
}

Result<ChatTurn> Chat::Write(const ChatOptions& options, const PromptHistory& history,
                             const ChatSinks& sinks, const CancelToken* cancel,
                             ChatReply& reply) const {
  ModelAnswerOptions ask;
  ask.search = options.search;
  ask.generate = options.generate;
  ask.history = history;
  const ModelAnswerer answerer(store_, embedder_, model_, reranker_);
  VADE_TRY(reply.written, answerer.Ask(reply.standalone, ask, sinks, cancel));
  const ModelAnswer& answer = *reply.written;
  reply.warnings = answer.warnings;
  ChatTurn turn;
  turn.refused = answer.refused;
  turn.answer = answer.refused ? RefusalIn(answer.language) : answer.Text();
  turn.words = answer.refused ? turn.answer : Trimmed(answer.generation.text);
  turn.citations = answer.citations;
  turn.passages = answer.shown;
  return turn;
}

/// A model alone: what it says is its own.
Result<ChatTurn> Chat::Talk(const ChatOptions& options, const PromptHistory& history,
                            const ChatSinks& sinks, const CancelToken* cancel,
                            ChatReply& reply) const {
  engine::ModelRequest request = options.generate;
  request.messages = history.messages;
  request.messages.push_back({"user", reply.standalone});
  if (request.max_tokens == 0) request.max_tokens = DefaultAnswerTokens(model_->context_length());
  VADE_TRY(reply.plain, model_->Generate(request, sinks.text, cancel, sinks.progress));
  reply.warnings = reply.plain->warnings;
  if (reply.plain->reason == engine::StopReason::kCancelled) {
    return Fail(ErrorCode::kCancelled, "interrupted");
  }
  ChatTurn turn;
  turn.answer = Trimmed(reply.plain->text);
  turn.words = turn.answer;
  return turn;
}

Result<ChatTurn> Chat::UseTools(const ChatOptions& options, const PromptHistory& history,
                                const ChatSinks& sinks, const CancelToken* cancel,
                                ChatReply& reply) const {
  ToolAnswerOptions ask;
  ask.search = options.search;
  ask.generate = options.generate;
  ask.history = history;
  ask.tools = options.tools->tools;
  ask.loop = options.tools->loop;
  const ToolLoopSinks loop_sinks = {sinks.call, sinks.progress};
  VADE_TRY(reply.tooled,
           ToolAnswerer(store_, embedder_, model_).Ask(reply.standalone, ask, loop_sinks, cancel));
  const ToolAnswer& answer = *reply.tooled;
  reply.warnings = answer.warnings;
  ChatTurn turn;
  turn.refused = answer.refused;
  turn.answer = answer.refused ? RefusalIn(answer.language) : answer.Text();
  turn.words = answer.refused ? turn.answer : Trimmed(answer.run.reply.text);
  turn.citations = answer.citations;
  turn.passages = answer.shown;
  return turn;
}

Result<ChatReply> Chat::Ask(std::string_view question, const ChatOptions& options,
                            const ChatSinks& sinks, const CancelToken* cancel) {
  ChatReply reply;
  const bool with_tools = options.tools && model_ != nullptr;
  // With tools it is the model that searches, and it knows the conversation.
  const bool as_typed = store_ == nullptr || with_tools;
  reply.standalone =
      as_typed ? std::string(question) : Standalone(question, cancel, reply.rewriting);
  const PromptHistory history = Remember(options, reply);
  VADE_TRY(ChatTurn turn, with_tools          ? UseTools(options, history, sinks, cancel, reply)
                          : store_ == nullptr ? Talk(options, history, sinks, cancel, reply)
                          : model_ == nullptr ? Compose(options, sinks, reply)
                                              : Write(options, history, sinks, cancel, reply));
  turn.question = question;
  turn.standalone = reply.standalone;
  history_.Add(std::move(turn), history.passages.size());
  return reply;
}

}  // namespace vade::qa
