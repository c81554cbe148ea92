// Library: the documents the server answers from. Reads stay open; whoever writes takes the store's
// lock for as long as it writes, so that `vade index` beside a running server works too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "embed/embedder.h"
#include "engine/base/lru_cache.h"
#include "engine/base/result.h"
#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::qa::server {

/// The embedder, with the vectors of the latest questions: people ask the same ones, and a search
/// is mostly spent on this.
class RememberingEmbedder : public embed::Embedder {
 public:
  RememberingEmbedder(std::unique_ptr<embed::Embedder> embedder, size_t max_entries)
      : embedder_(std::move(embedder)), queries_(max_entries) {}

  [[nodiscard]] size_t dimension() const override { return embedder_->dimension(); }
  [[nodiscard]] size_t max_tokens() const override { return embedder_->max_tokens(); }
  [[nodiscard]] size_t special_tokens() const override { return embedder_->special_tokens(); }
  [[nodiscard]] const std::string& fingerprint() const override { return embedder_->fingerprint(); }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override {
    return embedder_->CountTokens(text);
  }
  [[nodiscard]] double Coverage(std::string_view text) const override {
    return embedder_->Coverage(text);
  }
  [[nodiscard]] Result<void> EmbedPassages(std::span<const std::string_view> texts,
                                           std::span<float> out,
                                           const CancelToken* cancel) override {
    return embedder_->EmbedPassages(texts, out, cancel);
  }
  [[nodiscard]] Result<std::vector<float>> EmbedQuery(std::string_view text) override;

 private:
  const std::unique_ptr<embed::Embedder> embedder_;
  LruCache<std::vector<float>> queries_;
};

/// Thread-safe.
class Library {
 public:
  Library(std::filesystem::path store, std::unique_ptr<embed::Embedder> embedder);

  /// For reading. Errors: those of the store; kNotFound while nothing was ever indexed;
  /// kUnavailable "index built with A, now B" when the embedder is another.
  [[nodiscard]] Result<std::shared_ptr<const vectorstore::Store>> Open();
  [[nodiscard]] embed::Embedder& embedder() { return embedder_; }
  [[nodiscard]] retriever::SharedDocuments& documents() { return documents_; }

  /// Runs `work` with the store open for writing; one at a time.
  /// Errors: those of the store and of `work`; kUnavailable "locked by pid N".
  [[nodiscard]] Result<void> Write(const std::function<Result<void>(vectorstore::Store&)>& work);

 private:
  static constexpr size_t kDocumentBytes = size_t{64} << 20;  // texts that searches found

  const std::filesystem::path path_;
  RememberingEmbedder embedder_;
  retriever::SharedDocuments documents_{kDocumentBytes};
  std::mutex mutex_;
  std::mutex writing_;
  std::shared_ptr<const vectorstore::Store> store_;
};

}  // namespace vade::qa::server
