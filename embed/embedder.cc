#include "embed/embedder.h"

#include <array>
#include <cstdio>
#include <utility>

#include "embed/coverage.h"
#include "embed/prefixes.h"
#include "embed/quoted.h"
#include "embed/remote_embedder.h"
#include "engine/encoder_engine.h"

namespace vade::embed {
namespace {

// Texts tokenised ahead of the engine: bounds the memory for ids, costs nothing in speed (the
// engine sorts each slice by length into passes of its own).
constexpr size_t kSlice = 2048;

std::string Hex(uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

class LocalEmbedder final : public Embedder {
 public:
  LocalEmbedder(std::unique_ptr<engine::EncoderEngine> engine, const EmbedderOptions& options,
                size_t max_tokens)
      : engine_(std::move(engine)),
        max_tokens_(max_tokens),
        query_prefix_(options.query_prefix),
        passage_prefix_(options.passage_prefix) {
    if (query_prefix_.empty() && passage_prefix_.empty()) {
      const Prefixes known = KnownPrefixes(engine_->name());
      query_prefix_ = known.query;
      passage_prefix_ = known.passage;
    }
    fingerprint_ = MakeFingerprint();
  }

  [[nodiscard]] size_t dimension() const override { return engine_->dimension(); }
  [[nodiscard]] size_t max_tokens() const override { return max_tokens_; }
  [[nodiscard]] size_t special_tokens() const override {
    return engine_->special_tokens() + engine_->CountTokens(passage_prefix_);
  }
  [[nodiscard]] const std::string& fingerprint() const override { return fingerprint_; }

  [[nodiscard]] size_t CountTokens(std::string_view text) const override {
    return engine_->CountTokens(text);
  }
  [[nodiscard]] double Coverage(std::string_view text) const override {
    return CoverageOf(*engine_, text);
  }

  [[nodiscard]] Result<void> EmbedPassages(std::span<const std::string_view> texts,
                                           std::span<float> out,
                                           const CancelToken* cancel) override;
  [[nodiscard]] Result<std::vector<float>> EmbedQuery(std::string_view text) override;

 private:
  [[nodiscard]] std::string MakeFingerprint() const;
  [[nodiscard]] Result<std::vector<engine::TokenId>> Tokens(const std::string& prefix,
                                                            std::string_view text) const;

  std::unique_ptr<engine::EncoderEngine> engine_;
  size_t max_tokens_;
  std::string query_prefix_;
  std::string passage_prefix_;
  std::string fingerprint_;
};

std::string LocalEmbedder::MakeFingerprint() const {
  return std::string(engine_->name()) + " xxh3=" + Hex(engine_->weights_hash()) +
         " dimension=" + std::to_string(engine_->dimension()) +
         " pooling=" + std::string(engine_->pooling()) + " normalisation=l2" +
         " max_tokens=" + std::to_string(max_tokens_) + " query_prefix=" + Quoted(query_prefix_) +
         " passage_prefix=" + Quoted(passage_prefix_);
}

Result<std::vector<engine::TokenId>> LocalEmbedder::Tokens(const std::string& prefix,
                                                           std::string_view text) const {
  auto ids = prefix.empty() ? engine_->Tokenize(text, true, false)
                            : engine_->Tokenize(prefix + std::string(text), true, false);
  if (ids.size() > max_tokens_) {
    return Fail(ErrorCode::kInvalidArgument, "got " + std::to_string(ids.size()) +
                                                 " tokens, at most " + std::to_string(max_tokens_) +
                                                 " fit " + std::string(engine_->name()));
  }
  return ids;
}

Result<void> LocalEmbedder::EmbedPassages(std::span<const std::string_view> texts,
                                          std::span<float> out, const CancelToken* cancel) {
  if (out.size() != texts.size() * dimension()) {
    return Fail(ErrorCode::kInvalidArgument, "got room for " + std::to_string(out.size()) +
                                                 " values, want " + std::to_string(texts.size()) +
                                                 " x " + std::to_string(dimension()));
  }
  std::vector<std::vector<engine::TokenId>> slice;
  for (size_t first = 0; first < texts.size(); first += kSlice) {
    const size_t count = std::min(kSlice, texts.size() - first);
    slice.clear();
    for (size_t i = first; i < first + count; ++i) {
      auto ids = Tokens(passage_prefix_, texts[i]);
      if (!ids) return Fail("text " + std::to_string(i), std::move(ids).error());
      slice.push_back(std::move(*ids));
    }
    VADE_CHECK_OK(
        engine_->Embed(slice, out.subspan(first * dimension(), count * dimension()), cancel));
  }
  return {};
}

Result<std::vector<float>> LocalEmbedder::EmbedQuery(std::string_view text) {
  auto ids = Tokens(query_prefix_, text);
  if (!ids) return Fail("query", std::move(ids).error());
  std::vector<float> out(dimension());
  VADE_CHECK_OK(engine_->Embed({&*ids, 1}, out));
  return out;
}

}  // namespace

Result<std::unique_ptr<Embedder>> Embedder::Open(const EmbedderOptions& options) {
  if (remote::IsModelAddress(options.model.native())) {
    const remote::Environment environment = remote::SystemEnvironment();
    VADE_TRY(const remote::ModelAddress address,
             remote::ParseModelAddress(options.model.native(), environment));
    VADE_TRY(remote::ApiServer server, remote::ServerOf(address, environment));
    return RemoteEmbedder::Open(std::move(server), address.model, options);
  }
  std::filesystem::path model = options.model;
  if (model.empty()) {
    VADE_TRY(model, FindDefaultModel());
  }
  VADE_TRY(auto engine, engine::EncoderEngine::Load(model, {.num_threads = options.num_threads}));
  if (engine->pooling() == "none") {
    return Fail(ErrorCode::kUnsupported,
                model.string() +
                    ": pooling_type is none: the model gives a vector per token, not one per text");
  }
  if (engine->pooling() == "rank") {
    return Fail(ErrorCode::kInvalidArgument,
                model.string() + ": is a reranker, it gives scores, not vectors");
  }
  const size_t max_tokens =
      options.max_tokens == 0 ? engine->max_text_tokens() : options.max_tokens;
  if (max_tokens > engine->context_length() || max_tokens <= engine->special_tokens()) {
    return Fail(ErrorCode::kInvalidArgument, model.string() + ": max_tokens: got " +
                                                 std::to_string(max_tokens) + ", expected " +
                                                 std::to_string(engine->special_tokens() + 1) +
                                                 " to " + std::to_string(engine->context_length()));
  }
  return std::make_unique<LocalEmbedder>(std::move(engine), options, max_tokens);
}

}  // namespace vade::embed
