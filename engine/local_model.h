// LocalModel: a language model from a GGUF file, run in this process.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/chat_prompt.h"
#include "engine/decoder_engine.h"
#include "engine/language_model.h"
#include "engine/session.h"

namespace vade::engine {

struct LocalModelOptions {
  DecoderOptions decoder;
};

/// Thread-safe.
class LocalModel final : public LanguageModel {
 public:
  /// Errors: DecoderEngine::Load's.
  [[nodiscard]] static Result<std::unique_ptr<LocalModel>> Load(const std::filesystem::path& gguf,
                                                                const LocalModelOptions& options);
  explicit LocalModel(std::unique_ptr<DecoderEngine> engine, const LocalModelOptions& options = {});
  ~LocalModel() override;

  [[nodiscard]] std::string_view name() const override { return engine_->name(); }
  [[nodiscard]] size_t context_length() const override { return engine_->context_length(); }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override;
  [[nodiscard]] Result<PromptCount> CountPrompt(const ModelRequest& request) const override;
  [[nodiscard]] Result<ModelReply> Generate(const ModelRequest& request, const TextSink& sink,
                                            const CancelToken* cancel = nullptr,
                                            const PrefillProgress& progress = {}) override;

  [[nodiscard]] const tokenizer::Tokenizer& tokenizer() const { return engine_->tokenizer(); }
  [[nodiscard]] std::string_view architecture() const { return engine_->architecture(); }
  [[nodiscard]] const DecoderMemory& memory() const { return engine_->memory(); }
  /// The engine itself, for looking inside. Its single-thread members: only while nothing is
  /// generated.
  [[nodiscard]] DecoderEngine& engine() { return *engine_; }

 private:
  /// The prompt's tokens and text.
  [[nodiscard]] Result<ChatPrompt> MakePrompt(const ModelRequest& request) const;

  std::unique_ptr<DecoderEngine> engine_;
  std::mutex mutex_;  // of what follows
  std::unique_ptr<Session> session_;
};

}  // namespace vade::engine
