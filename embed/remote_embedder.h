// RemoteEmbedder: unit vectors from an Ollama server (/api/embed) or an OpenAI-compatible one
// (/v1/embeddings).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "embed/embedder.h"
#include "engine/remote/api_client.h"

namespace vade::embed {

/// Most tokens of a text when the server allows more: what encoders are trained at.
inline constexpr size_t kMaxRemoteTokens = 512;

/// Thread-safe. Tokens are counted from above, so that no text is cut off by the server.
class RemoteEmbedder final : public Embedder {
 public:
  /// Asks the server for the model and for one vector, which tells the dimension.
  /// Errors: kUnavailable naming the URL, what happened and what to do; kInvalidArgument for a
  /// max_tokens beyond the server's.
  [[nodiscard]] static Result<std::unique_ptr<RemoteEmbedder>> Open(
      remote::ApiServer server, std::string model, const EmbedderOptions& options,
      const CancelToken* cancel = nullptr);

  [[nodiscard]] size_t dimension() const override { return dimension_; }
  [[nodiscard]] size_t max_tokens() const override { return max_tokens_; }
  [[nodiscard]] size_t special_tokens() const override;
  /// The kind of server, the model's name, and its digest where the server tells one.
  [[nodiscard]] const std::string& fingerprint() const override { return fingerprint_; }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override;
  /// Errors besides the interface's: kUnavailable for what the server did, a wrong number or
  /// dimension of vectors among it.
  [[nodiscard]] Result<void> EmbedPassages(std::span<const std::string_view> texts,
                                           std::span<float> out,
                                           const CancelToken* cancel = nullptr) override;
  [[nodiscard]] Result<std::vector<float>> EmbedQuery(std::string_view text) override;

 private:
  struct Known {  // what the server tells of the model
    size_t context_length = 0;
    std::string digest;
  };
  RemoteEmbedder(remote::ApiServer server, std::string model)
      : client_(std::move(server)), model_(std::move(model)) {}
  [[nodiscard]] Result<Known> AskOllama(const CancelToken* cancel);
  [[nodiscard]] Result<Known> AskOpenAi(const CancelToken* cancel);
  [[nodiscard]] Result<std::vector<std::vector<float>>> Ask(const std::vector<std::string>& texts,
                                                            const CancelToken* cancel);
  [[nodiscard]] Result<void> CheckLength(const std::string& text) const;
  [[nodiscard]] std::string MakeFingerprint(const Known& known) const;

  remote::ApiClient client_;
  std::string model_;
  size_t dimension_ = 0;
  size_t max_tokens_ = 0;
  std::string query_prefix_;
  std::string passage_prefix_;
  std::string fingerprint_;
};

}  // namespace vade::embed
