#include "embed/remote_embedder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "embed/prefixes.h"
#include "embed/quoted.h"
#include "engine/base/utf8.h"
#include "engine/prompt_bounds.h"
#include "engine/remote_json.h"

namespace vade::embed {
namespace {

using nlohmann::json;

constexpr size_t kBatch = 32;         // texts of one request
constexpr size_t kSpecialTokens = 4;  // what a server puts around a text, generously
constexpr size_t kMaxDimension = 65'536;

Result<std::vector<float>> ReadVector(const json& numbers) {
  if (!numbers.is_array() || numbers.empty() || numbers.size() > kMaxDimension) {
    return Fail(ErrorCode::kUnavailable, "an embedding that is no list of numbers");
  }
  std::vector<float> out;
  out.reserve(numbers.size());
  double squares = 0;
  for (const json& number : numbers) {
    if (!number.is_number() || !std::isfinite(number.get<float>())) {
      return Fail(ErrorCode::kUnavailable, "an embedding with what is no finite number");
    }
    out.push_back(number.get<float>());
    squares += static_cast<double>(out.back()) * static_cast<double>(out.back());
  }
  if (!(squares > 0) || !std::isfinite(squares)) {
    return Fail(ErrorCode::kUnavailable, "an embedding without length: all zeros");
  }
  const float scale = static_cast<float>(1 / std::sqrt(squares));
  for (float& value : out) value *= scale;
  return out;
}

/// {"embeddings":[[...]]} of Ollama; {"data":[{"index","embedding"}]}, in any order, of the others.
Result<std::vector<std::vector<float>>> ReadVectors(const json& answer, size_t count) {
  std::vector<std::vector<float>> out(count);
  const char* key = answer.is_object() && answer.contains("data") ? "data" : "embeddings";
  if (!answer.is_object() || !answer.contains(key) || !answer[key].is_array()) {
    return Fail(ErrorCode::kUnavailable, "the answer holds no embeddings");
  }
  const json& list = answer[key];
  if (list.size() != count) {
    return Fail(ErrorCode::kUnavailable, "got " + std::to_string(list.size()) + " embeddings for " +
                                             std::to_string(count) + " texts");
  }
  for (size_t i = 0; i < count; ++i) {
    const bool is_entry = list[i].is_object();
    const size_t at =
        is_entry && list[i].contains("index") ? engine::JsonCount(list[i], "index") : i;
    if (at >= count || !out[at].empty()) {
      return Fail(ErrorCode::kUnavailable, "embeddings with wrong numbers");
    }
    VADE_TRY(out[at], ReadVector(is_entry ? list[i].value("embedding", json()) : list[i]));
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<RemoteEmbedder>> RemoteEmbedder::Open(remote::ApiServer server,
                                                             std::string model,
                                                             const EmbedderOptions& options,
                                                             const CancelToken* cancel) {
  std::unique_ptr<RemoteEmbedder> out(new RemoteEmbedder(std::move(server), std::move(model)));
  const bool is_ollama = out->client_.kind() == remote::ServerKind::kOllama;
  VADE_TRY(const Known known, is_ollama ? out->AskOllama(cancel) : out->AskOpenAi(cancel));
  const size_t limit = known.context_length == 0 ? kMaxRemoteTokens : known.context_length;
  if (options.max_tokens > limit) {
    return Fail(ErrorCode::kInvalidArgument, utf8::Escape(out->model_) + ": max_tokens: got " +
                                                 std::to_string(options.max_tokens) +
                                                 ", the server has " + std::to_string(limit));
  }
  out->max_tokens_ =
      options.max_tokens == 0 ? std::min(limit, kMaxRemoteTokens) : options.max_tokens;
  out->query_prefix_ = options.query_prefix;
  out->passage_prefix_ = options.passage_prefix;
  if (options.query_prefix.empty() && options.passage_prefix.empty()) {
    const Prefixes prefixes = KnownPrefixes(out->model_);
    out->query_prefix_ = prefixes.query;
    out->passage_prefix_ = prefixes.passage;
  }
  VADE_TRY(const auto probe, out->Ask({"dimension"}, cancel));
  out->dimension_ = probe[0].size();
  out->fingerprint_ = out->MakeFingerprint(known);
  return out;
}

Result<RemoteEmbedder::Known> RemoteEmbedder::AskOllama(const CancelToken* cancel) {
  auto shown = client_.Post("/api/show", {{"model", model_}}, cancel);
  if (!shown && shown.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kUnavailable, shown.error().message + "; run `ollama pull " +
                                             utf8::Escape(model_) + "` where the server is");
  }
  if (!shown) return tl::unexpected(std::move(shown).error());
  Known known;
  if (shown->is_object() && shown->contains("model_info")) {
    const json& info = (*shown)["model_info"];
    known.context_length =
        engine::JsonCount(info, engine::JsonText(info, "general.architecture") + ".context_length");
  }
  const auto tags = client_.Get("/api/tags", cancel);  // the digest is nowhere else
  if (!tags || !tags->is_object() || !tags->contains("models")) return known;
  const bool has_tag = model_.find(':', model_.rfind('/') + 1) != std::string::npos;
  const std::string full = has_tag ? model_ : model_ + ":latest";
  if (!(*tags)["models"].is_array()) return known;
  for (const json& entry : (*tags)["models"]) {
    if (engine::JsonText(entry, "name") == full) known.digest = engine::JsonText(entry, "digest");
  }
  return known;
}

Result<RemoteEmbedder::Known> RemoteEmbedder::AskOpenAi(const CancelToken* cancel) {
  Known known;
  const auto models = client_.Get("/models", cancel);
  if (!models && models.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(models.error());
  }
  if (!models || !models->is_object() || !models->contains("data")) return known;
  if (!(*models)["data"].is_array()) return known;
  for (const json& entry : (*models)["data"]) {
    if (engine::JsonText(entry, "id") != model_) continue;
    known.context_length = engine::JsonCount(entry, "max_model_len");
    if (known.context_length == 0 && entry.contains("meta")) {
      known.context_length = engine::JsonCount(entry["meta"], "n_ctx_train");
    }
  }
  return known;
}

std::string RemoteEmbedder::MakeFingerprint(const Known& known) const {
  const bool is_ollama = client_.kind() == remote::ServerKind::kOllama;
  return std::string(is_ollama ? "ollama:" : "openai:") + model_ +
         (known.digest.empty() ? "" : " digest=" + Quoted(known.digest)) +
         " dimension=" + std::to_string(dimension_) +
         " normalisation=l2 max_tokens=" + std::to_string(max_tokens_) +
         " query_prefix=" + Quoted(query_prefix_) + " passage_prefix=" + Quoted(passage_prefix_);
}

size_t RemoteEmbedder::special_tokens() const {
  return kSpecialTokens + CountTokens(passage_prefix_);
}

size_t RemoteEmbedder::CountTokens(std::string_view text) const {
  return engine::EstimateTokens(text);
}

Result<void> RemoteEmbedder::CheckLength(const std::string& text) const {
  const size_t tokens = CountTokens(text) + kSpecialTokens;
  if (tokens <= max_tokens_) return {};
  return Fail(ErrorCode::kInvalidArgument, "got up to " + std::to_string(tokens) +
                                               " tokens, at most " + std::to_string(max_tokens_) +
                                               " are sent to " + utf8::Escape(model_));
}

Result<std::vector<std::vector<float>>> RemoteEmbedder::Ask(const std::vector<std::string>& texts,
                                                            const CancelToken* cancel) {
  const bool is_ollama = client_.kind() == remote::ServerKind::kOllama;
  const std::string path = is_ollama ? "/api/embed" : "/embeddings";
  json body = {{"model", model_}, {"input", texts}};
  if (is_ollama) {
    body["truncate"] = false;
  } else {
    body["encoding_format"] = "float";
  }
  auto answer = client_.Post(path, body, cancel);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kUnavailable;
    return tl::unexpected(std::move(error));
  }
  auto vectors = ReadVectors(*answer, texts.size());
  if (!vectors) return Fail(client_.base_url() + path, std::move(vectors).error());
  size_t least = 0;
  for (const std::string& text : texts) least += engine::LeastTokens(text);
  size_t reported = engine::JsonCount(*answer, "prompt_eval_count");
  if (answer->contains("usage")) {
    reported = engine::JsonCount((*answer)["usage"], "prompt_tokens");
  }
  if (reported > 0 && reported < least) {
    return Fail(ErrorCode::kUnavailable, client_.base_url() + path + ": the server read only " +
                                             std::to_string(reported) + " of at least " +
                                             std::to_string(least) + " tokens: it cut texts off");
  }
  for (const std::vector<float>& vector : *vectors) {
    if (dimension_ != 0 && vector.size() != dimension_) {
      return Fail(ErrorCode::kUnavailable,
                  client_.base_url() + path + ": got " + std::to_string(vector.size()) +
                      " dimensions, before it were " + std::to_string(dimension_));
    }
  }
  return vectors;
}

Result<void> RemoteEmbedder::EmbedPassages(std::span<const std::string_view> texts,
                                           std::span<float> out, const CancelToken* cancel) {
  if (out.size() != texts.size() * dimension_) {
    return Fail(ErrorCode::kInvalidArgument, "got room for " + std::to_string(out.size()) +
                                                 " values, want " + std::to_string(texts.size()) +
                                                 " x " + std::to_string(dimension_));
  }
  std::vector<std::string> batch;
  for (size_t first = 0; first < texts.size(); first += kBatch) {
    const size_t count = std::min(kBatch, texts.size() - first);
    batch.clear();
    for (size_t i = first; i < first + count; ++i) {
      batch.push_back(passage_prefix_ + std::string(texts[i]));
      if (auto fits = CheckLength(batch.back()); !fits) {
        return Fail("text " + std::to_string(i), std::move(fits).error());
      }
    }
    VADE_TRY(const auto vectors, Ask(batch, cancel));
    for (size_t i = 0; i < count; ++i) {
      std::ranges::copy(vectors[i], out.begin() + static_cast<ptrdiff_t>((first + i) * dimension_));
    }
  }
  return {};
}

Result<std::vector<float>> RemoteEmbedder::EmbedQuery(std::string_view text) {
  const std::string query = query_prefix_ + std::string(text);
  if (auto fits = CheckLength(query); !fits) return Fail("query", std::move(fits).error());
  VADE_TRY(auto vectors, Ask({query}, nullptr));
  return std::move(vectors[0]);
}

}  // namespace vade::embed
