// Opening a language model by its address: ollama://... or openai://...
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "engine/language_model.h"
#include "engine/remote/model_address.h"

namespace vade::engine {

/// What an Ollama server is asked to keep for a conversation when nothing is said, and what a
/// server that does not tell its context is believed to have.
inline constexpr size_t kDefaultRemoteContext = 8192;

struct RemoteModelOptions {
  size_t context_length = 0;  // 0: the server's; for Ollama the model's, at most the default
};

/// The model behind an address; asks its server whether it is there.
/// Errors: ParseModelAddress's and ReadApiKey's; those of OllamaModel::Open, OpenAiModel::Open.
[[nodiscard]] Result<std::unique_ptr<LanguageModel>> OpenRemoteModel(
    std::string_view address, const RemoteModelOptions& options,
    const CancelToken* cancel = nullptr,
    const remote::Environment& environment = remote::SystemEnvironment());

}  // namespace vade::engine
