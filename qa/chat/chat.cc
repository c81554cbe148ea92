#include "qa/chat/chat.h"

#include <algorithm>
#include <utility>

#include "engine/chat_prompt.h"
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

Chat::Chat(const vectorstore::Store* store, embed::Embedder* embedder,
           engine::DecoderEngine* engine)
    : store_(store),
      embedder_(embedder),
      engine_(engine),
      session_(engine == nullptr ? nullptr : std::make_unique<engine::Session>(*engine)) {}

/// Empty when the model gives nothing of use; then the topic is carried by rules.
std::string Chat::RewriteByModel(std::string_view question, const CancelToken* cancel) const {
  const std::string digest = history_.Digest(kDigestBytes);
  const bool korean = LanguageOf(question) == Language::kKorean;
  const std::vector<engine::ChatMessage> messages = {
      {"system", std::string(korean ? kRewriteKorean : kRewriteEnglish)},
      {"user", digest + "\nLast question: " + std::string(question)}};
  const auto prompt =
      engine::BuildChatPrompt(engine_->tokenizer(), engine_->chat_template(), messages);
  if (!prompt) return "";
  engine::GenerateOptions options;
  options.sampling.temperature = 0;
  options.max_tokens = kRewritingTokens;
  options.stop = {"\n"};
  engine::Session session(*engine_);  // the conversation's own keeps its place
  const auto written = session.Generate(prompt->ids, options, {}, cancel);
  if (!written) return "";
  std::string rewritten = Trimmed(written->text);
  return IsFaithfulRewriting(rewritten, question, digest) ? rewritten : "";
}

std::string Chat::Standalone(std::string_view question, const CancelToken* cancel,
                             Rewriting& rewriting) const {
  rewriting = Rewriting::kNone;
  if (history_.turns().empty() || !IsFollowUp(question)) return std::string(question);
  if (engine_ != nullptr) {
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
  if (engine_ == nullptr) return {};
  reply.budget_tokens =
      options.history_tokens.value_or(DefaultHistoryTokens(engine_->context_length()));
  PromptHistory history = history_.ForPrompt(
      reply.budget_tokens, [&](std::string_view text) { return engine_->tokenizer().Count(text); });
  reply.history_turns = history.messages.size() / 2;
  reply.history_tokens = history.tokens;
  reply.left_out_turns = history_.turns().size() - reply.history_turns;
  return history;
}

Result<ChatTurn> Chat::Compose(const ChatOptions& options, ChatReply& reply) const {
  AnswerOptions ask;
  ask.search = options.search;
  if (reply.rewriting != Rewriting::kNone) ask.carried = history_.turns().back().passages;
  VADE_TRY(reply.composed, Answerer(store_, embedder_).Ask(reply.standalone, ask));
  const Answer& answer = *reply.composed;
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
  const ModelAnswerer answerer(store_, embedder_, engine_, session_.get());
  VADE_TRY(reply.written,
           answerer.Ask(reply.standalone, ask, sinks.sentence, cancel, sinks.progress));
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
  std::vector<engine::ChatMessage> messages = history.messages;
  messages.push_back({"user", reply.standalone});
  VADE_TRY(const engine::ChatPrompt prompt,
           engine::BuildChatPrompt(engine_->tokenizer(), engine_->chat_template(), messages));
  reply.warnings = prompt.warnings;
  engine::GenerateOptions generate = options.generate;
  if (generate.max_tokens == 0) {
    generate.max_tokens = DefaultAnswerTokens(engine_->context_length());
  }
  VADE_TRY(reply.plain,
           session_->Generate(prompt.ids, generate, sinks.text, cancel, sinks.progress));
  if (reply.plain->reason == engine::StopReason::kCancelled) {
    return Fail(ErrorCode::kCancelled, "interrupted");
  }
  ChatTurn turn;
  turn.answer = Trimmed(reply.plain->text);
  turn.words = turn.answer;
  return turn;
}

Result<ChatReply> Chat::Ask(std::string_view question, const ChatOptions& options,
                            const ChatSinks& sinks, const CancelToken* cancel) {
  ChatReply reply;
  reply.standalone =
      store_ == nullptr ? std::string(question) : Standalone(question, cancel, reply.rewriting);
  const PromptHistory history = Remember(options, reply);
  VADE_TRY(ChatTurn turn, store_ == nullptr    ? Talk(options, history, sinks, cancel, reply)
                          : engine_ == nullptr ? Compose(options, reply)
                                               : Write(options, history, sinks, cancel, reply));
  turn.question = question;
  turn.standalone = reply.standalone;
  history_.Add(std::move(turn), history.passages.size());
  return reply;
}

}  // namespace vade::qa
