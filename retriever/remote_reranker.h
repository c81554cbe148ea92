// RemoteReranker: scores from a server's /v1/rerank (llama-server, vLLM, Jina) or /rerank (TEI).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/remote/api_client.h"
#include "engine/remote/model_address.h"
#include "retriever/reranker.h"

namespace vade::retriever {

class RemoteReranker final : public Reranker {
 public:
  /// `address`: openai://host[:port][/v1]/name. Asks nothing yet.
  /// Errors: those of the address and the key; kUnsupported for ollama://, which has no reranking.
  [[nodiscard]] static Result<std::unique_ptr<RemoteReranker>> Open(
      std::string_view address,
      const remote::Environment& environment = remote::SystemEnvironment());
  RemoteReranker(remote::ApiServer server, std::string model)
      : client_(std::move(server)), model_(std::move(model)) {}

  [[nodiscard]] std::string_view name() const override { return model_; }
  /// Errors besides the interface's: kUnavailable for answers that miss a passage, name one twice
  /// or hold what is no number.
  [[nodiscard]] Result<std::vector<float>> Score(std::string_view question,
                                                 std::span<const std::string_view> passages,
                                                 const CancelToken* cancel) override;

 private:
  remote::ApiClient client_;
  std::string model_;
};

}  // namespace vade::retriever
