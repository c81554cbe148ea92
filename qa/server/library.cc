#include "qa/server/library.h"

#include <utility>

namespace vade::qa::server {

Result<std::vector<float>> RememberingEmbedder::EmbedQuery(std::string_view text) {
  if (auto known = queries_.Find(text)) return *std::move(known);
  VADE_TRY(std::vector<float> vector, embedder_->EmbedQuery(text));
  queries_.Put(std::string(text), vector, 1);
  return vector;
}

Library::Library(std::filesystem::path store, std::unique_ptr<embed::Embedder> embedder)
    : path_(std::move(store)), embedder_(std::move(embedder), 4096) {}

Result<std::shared_ptr<const vectorstore::Store>> Library::Open() {
  const std::lock_guard lock(mutex_);
  if (store_ == nullptr) {
    auto store = vectorstore::Store::Open(path_, {.read_only = true, .create = false});
    if (!store && store.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kNotFound,
                  "nothing is indexed yet: index a folder with 'vade index FOLDER'");
    }
    if (!store) return tl::unexpected(store.error());
    VADE_TRY(const auto fingerprints, (*store)->GetFingerprints());
    if (fingerprints && fingerprints->embedder != embedder_.fingerprint()) {
      return Fail(ErrorCode::kUnavailable, "index built with " + fingerprints->embedder + ", now " +
                                               embedder_.fingerprint() +
                                               ": start with the embedder it was built with");
    }
    store_ = std::shared_ptr<const vectorstore::Store>(*std::move(store));
  }
  return store_;
}

Result<void> Library::Write(const std::function<Result<void>(vectorstore::Store&)>& work) {
  const std::lock_guard lock(writing_);
  VADE_TRY(const auto store, vectorstore::Store::Open(path_, {.create = false}));
  return work(*store);
}

}  // namespace vade::qa::server
