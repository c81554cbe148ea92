// LocalModel: a language model from a GGUF file, run in this process.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/chat_prompt.h"
#include "engine/decoder_engine.h"
#include "engine/language_model.h"
#include "engine/scheduler.h"

namespace vade::engine {

struct LocalModelOptions {
  DecoderOptions decoder;   // num_sequences: how many replies may fill a context of their own
  size_t max_parallel = 1;  // replies written side by side
  size_t max_queue = 64;    // requests waiting for a place, beyond which they are refused
};

/// Thread-safe.
class LocalModel final : public LanguageModel {
 public:
  /// Errors: DecoderEngine::Load's.
  [[nodiscard]] static Result<std::unique_ptr<LocalModel>> Load(const std::filesystem::path& gguf,
                                                                const LocalModelOptions& options);
  /// What Load would take, without taking it. Errors: DecoderEngine::Measure's.
  [[nodiscard]] static Result<DecoderNeed> Measure(const std::filesystem::path& gguf,
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
  [[nodiscard]] size_t trained_context_length() const { return engine_->trained_context_length(); }
  [[nodiscard]] SchedulerLoad load() const { return scheduler_.load(); }
  [[nodiscard]] const DecoderMemory& memory() const { return engine_->memory(); }
  /// The engine itself, for looking inside. Its single-thread members: only while nothing is
  /// generated.
  [[nodiscard]] DecoderEngine& engine() { return *engine_; }

 private:
  /// The prompt's tokens and text.
  [[nodiscard]] Result<ChatPrompt> MakePrompt(const ModelRequest& request) const;

  std::unique_ptr<DecoderEngine> engine_;
  Scheduler scheduler_;
};

}  // namespace vade::engine
