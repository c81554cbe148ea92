#include "engine/remote_model.h"

#include "engine/ollama_model.h"
#include "engine/openai_model.h"

namespace vade::engine {

Result<std::unique_ptr<LanguageModel>> OpenRemoteModel(std::string_view address,
                                                       const RemoteModelOptions& options,
                                                       const CancelToken* cancel,
                                                       const remote::Environment& environment) {
  VADE_TRY(const remote::ModelAddress parsed, remote::ParseModelAddress(address, environment));
  VADE_TRY(remote::ApiServer server, remote::ServerOf(parsed, environment));
  if (parsed.kind == remote::ServerKind::kOllama) {
    return OllamaModel::Open(std::move(server), parsed.model, options, cancel);
  }
  return OpenAiModel::Open(std::move(server), parsed.model, options, cancel);
}

}  // namespace vade::engine
