// OpenAiModel: a language model behind an OpenAI-compatible API: vLLM, LM Studio, llama-server,
// TGI.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/language_model.h"
#include "engine/remote/api_client.h"
#include "engine/remote_model.h"

namespace vade::engine {

/// Thread-safe. llama-server is asked for its context (/props) and counts prompts exactly
/// (/apply-template, /tokenize); of others the context is what /v1/models tells, and counts are
/// estimates from above.
class OpenAiModel final : public LanguageModel {
 public:
  /// Errors: kUnavailable naming the URL, what happened and what to do; kInvalidArgument for a
  /// context longer than the server's.
  [[nodiscard]] static Result<std::unique_ptr<OpenAiModel>> Open(
      remote::ApiServer server, std::string model, const RemoteModelOptions& options,
      const CancelToken* cancel = nullptr);

  [[nodiscard]] std::string_view name() const override { return model_; }
  [[nodiscard]] size_t context_length() const override { return context_length_; }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override;
  [[nodiscard]] Result<PromptCount> CountPrompt(const ModelRequest& request) const override;
  /// Errors besides the interface's: kUnsupported for a grammar where the server is not
  /// llama-server.
  [[nodiscard]] Result<ModelReply> Generate(const ModelRequest& request, const TextSink& sink,
                                            const CancelToken* cancel = nullptr,
                                            const PrefillProgress& progress = {}) override;

 private:
  OpenAiModel(remote::ApiServer server, std::string model);
  [[nodiscard]] Result<size_t> FindContext(const CancelToken* cancel);
  [[nodiscard]] Result<nlohmann::json> Body(const ModelRequest& request,
                                            std::vector<std::string>& warnings) const;
  [[nodiscard]] Result<size_t> CountOnServer(std::string_view text, bool whole_prompt) const;

  mutable remote::ApiClient client_;
  std::unique_ptr<remote::ApiClient> llama_;  // llama-server's own paths, beside /v1; or null
  std::string model_;
  size_t context_length_ = 0;
};

}  // namespace vade::engine
