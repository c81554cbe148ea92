// OllamaModel: a language model behind the API of an Ollama server.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/language_model.h"
#include "engine/remote/api_client.h"
#include "engine/remote_model.h"

namespace vade::engine {

/// Thread-safe.
class OllamaModel final : public LanguageModel {
 public:
  /// Asks the server for the model (/api/show).
  /// Errors: kUnavailable naming the URL, what happened and what to do; kInvalidArgument for a
  /// context longer than the model's.
  [[nodiscard]] static Result<std::unique_ptr<OllamaModel>> Open(
      remote::ApiServer server, std::string model, const RemoteModelOptions& options,
      const CancelToken* cancel = nullptr);

  [[nodiscard]] std::string_view name() const override { return model_; }
  [[nodiscard]] size_t context_length() const override { return context_length_; }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override;
  [[nodiscard]] Result<PromptCount> CountPrompt(const ModelRequest& request) const override;
  /// Errors besides the interface's: kUnsupported for what Ollama has no word for (logit_bias,
  /// grammars, a tool that must be called).
  [[nodiscard]] Result<ModelReply> Generate(const ModelRequest& request, const TextSink& sink,
                                            const CancelToken* cancel = nullptr,
                                            const PrefillProgress& progress = {}) override;

 private:
  OllamaModel(remote::ApiServer server, std::string model)
      : client_(std::move(server)), model_(std::move(model)) {}
  [[nodiscard]] Result<nlohmann::json> Body(const ModelRequest& request,
                                            size_t prompt_tokens) const;

  remote::ApiClient client_;
  std::string model_;
  size_t context_length_ = 0;
  bool thinks_ = false;  // it can be told not to
};

}  // namespace vade::engine
