// Chat: a conversation about the documents. Each question is made to stand by itself, answered with
// proven citations as `vade ask` does, and remembered.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/language_model.h"
#include "qa/answer/answerer.h"
#include "qa/answer/model_answerer.h"
#include "qa/chat/history.h"
#include "qa/tools/tool_answerer.h"

namespace vade::qa {

/// Tools of a conversation.
struct ChatTools {
  std::vector<Tool> tools;  // besides those of the library
  ToolLoopOptions loop;
};

struct ChatOptions {
  retriever::SearchOptions search;
  engine::ModelRequest generate;         // without messages; max_tokens 0: DefaultAnswerTokens
  std::optional<size_t> history_tokens;  // none: DefaultHistoryTokens
  std::optional<ChatTools> tools;        // needs a model
};

/// What a conversation may take of the prompt when nothing is said: half of the context.
[[nodiscard]] constexpr size_t DefaultHistoryTokens(size_t context_length) {
  return context_length / 2;
}

enum class Rewriting { kNone, kCarried, kByModel };

/// One of the four is set, by what the chat was made with.
struct ChatReply {
  std::optional<Answer> composed;           // documents, no model
  std::optional<ModelAnswer> written;       // documents and a model
  std::optional<engine::ModelReply> plain;  // a model alone: nothing is proven
  std::optional<ToolAnswer> tooled;         // a model with tools: what it read of documents is
  std::string standalone;                   // the question that was answered
  Rewriting rewriting = Rewriting::kNone;
  size_t history_turns = 0;  // that the prompt began with
  size_t history_tokens = 0;
  size_t left_out_turns = 0;  // older ones that the budget had no room for
  size_t budget_tokens = 0;   // of the history; 0 without a model
  std::vector<std::string> warnings;
};

struct ChatSinks : AnswerSinks {
  engine::TextSink text;                       // of a model alone
  std::function<void(const ToolTrace&)> call;  // of a tool
};

/// Single-thread. Does not own its parts.
class Chat {
 public:
  /// `store` null: a plain chat, which needs a model. `model` null: answers are composed of the
  /// documents' sentences. `embedder` and `reranker` may be null.
  Chat(const vectorstore::Store* store, embed::Embedder* embedder, engine::LanguageModel* model,
       retriever::Reranker* reranker = nullptr)
      : store_(store), embedder_(embedder), model_(model), reranker_(reranker) {}

  /// Answers and remembers; a cancelled or failed question is not remembered.
  /// Errors: those of Answerer, ModelAnswerer and LanguageModel.
  [[nodiscard]] Result<ChatReply> Ask(std::string_view question, const ChatOptions& options,
                                      const ChatSinks& sinks, const CancelToken* cancel);

  [[nodiscard]] ChatHistory& history() { return history_; }
  [[nodiscard]] const ChatHistory& history() const { return history_; }

 private:
  [[nodiscard]] std::string Standalone(std::string_view question, const CancelToken* cancel,
                                       Rewriting& rewriting) const;
  [[nodiscard]] std::string RewriteByModel(std::string_view question,
                                           const CancelToken* cancel) const;
  [[nodiscard]] PromptHistory Remember(const ChatOptions& options, ChatReply& reply) const;
  [[nodiscard]] Result<ChatTurn> Compose(const ChatOptions& options, const ChatSinks& sinks,
                                         ChatReply& reply) const;
  [[nodiscard]] Result<ChatTurn> Write(const ChatOptions& options, const PromptHistory& history,
                                       const ChatSinks& sinks, const CancelToken* cancel,
                                       ChatReply& reply) const;
  [[nodiscard]] Result<ChatTurn> Talk(const ChatOptions& options, const PromptHistory& history,
                                      const ChatSinks& sinks, const CancelToken* cancel,
                                      ChatReply& reply) const;

  [[nodiscard]] Result<ChatTurn> UseTools(const ChatOptions& options, const PromptHistory& history,
                                          const ChatSinks& sinks, const CancelToken* cancel,
                                          ChatReply& reply) const;

  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  engine::LanguageModel* model_;
  retriever::Reranker* reranker_;
  ChatHistory history_;
};

}  // namespace vade::qa
