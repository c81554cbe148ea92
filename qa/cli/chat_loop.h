// ChatLoop: lines in, answers and the /commands' results out, until the end of the input.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "qa/chat/chat.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/line_reader.h"
#include "qa/cli/terminal.h"

namespace vade::qa {

/// Single-thread. Does not own store, embedder and reranker; `store` null: a chat with the model
/// alone.
class ChatLoop {
 public:
  ChatLoop(const Context& context, const vectorstore::Store* store, embed::Embedder* embedder,
           std::unique_ptr<engine::LanguageModel> language_model, ModelFlags model,
           ChatOptions options, retriever::Reranker* reranker);

  /// Tools for the model; `on`: it uses them from the first question on.
  void SetTools(ChatTools tools, bool on);

  /// Returns the exit code. Errors of single questions are told and do not end the conversation.
  [[nodiscard]] int Run(LineReader& lines);

  /// Errors: those of LoadConversation.
  [[nodiscard]] Result<void> Load(const std::string& path);

 private:
  enum class Next { kGoOn, kStop };

  void Answer(const std::string& question);
  void Show(const ChatReply& reply);
  void ShowJson(const std::string& question, const ChatReply& reply);
  Next Command(std::string_view line);
  void ShowSources();
  void ShowContext();
  void ShowHelp();
  void Tools(const std::string& argument);
  void Model(const std::string& path);
  void Save(const std::string& path);

  /// One line to the user, or {"command", "message"} with --json.
  void Say(std::string_view command, const std::string& message);
  void Complain(std::string_view where, const std::string& message);

  const Context& context_;
  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  retriever::Reranker* reranker_;
  std::unique_ptr<engine::LanguageModel> language_model_;
  ModelFlags model_;
  ChatOptions options_;
  std::optional<ChatTools> tools_;  // those that /tools on turns on
  std::unique_ptr<Chat> chat_;
  std::optional<ChatReply> last_;
  Terminal terminal_;
};

}  // namespace vade::qa
