#include "retriever/remote_reranker.h"

#include <cmath>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::retriever {
namespace {

using nlohmann::json;

/// {"results":[{"index","relevance_score"}]}, or TEI's bare [{"index","score"}].
Result<std::vector<float>> ReadScores(const json& answer, size_t count) {
  const json* list = answer.is_array() ? &answer : nullptr;
  if (answer.is_object() && answer.contains("results")) list = &answer["results"];
  if (list == nullptr || !list->is_array()) {
    return Fail(ErrorCode::kUnavailable, "the answer holds no list of results");
  }
  std::vector<float> scores(count);
  std::vector<bool> seen(count, false);
  for (const json& entry : *list) {
    const json index = entry.is_object() ? entry.value("index", json()) : json();
    json score = entry.is_object() ? entry.value("relevance_score", json()) : json();
    if (score.is_null() && entry.is_object()) score = entry.value("score", json());
    const bool sound = index.is_number_unsigned() && index < count && score.is_number() &&
                       std::isfinite(score.get<float>()) && !seen[index.get<size_t>()];
    if (!sound) return Fail(ErrorCode::kUnavailable, "a result without index or score");
    seen[index.get<size_t>()] = true;
    scores[index.get<size_t>()] = score.get<float>();
  }
  if (list->size() != count) {
    return Fail(ErrorCode::kUnavailable, "got " + std::to_string(list->size()) + " scores for " +
                                             std::to_string(count) + " passages");
  }
  return scores;
}

}  // namespace

Result<std::unique_ptr<RemoteReranker>> RemoteReranker::Open(
    std::string_view address, const remote::Environment& environment) {
  VADE_TRY(const remote::ModelAddress parsed, remote::ParseModelAddress(address, environment));
  if (parsed.kind == remote::ServerKind::kOllama) {
    return Fail(ErrorCode::kUnsupported,
                utf8::Escape(address) +
                    ": Ollama has no reranking: name a GGUF file or openai://host/name");
  }
  VADE_TRY(remote::ApiServer server, remote::ServerOf(parsed, environment));
  return std::make_unique<RemoteReranker>(std::move(server), parsed.model);
}

Result<std::vector<float>> RemoteReranker::Score(std::string_view question,
                                                 std::span<const std::string_view> passages,
                                                 const CancelToken* cancel) {
  if (passages.empty()) return std::vector<float>();
  json documents = json::array();
  for (const std::string_view passage : passages) documents.push_back(passage);
  // TEI calls them texts and would cut them off.
  const json body = {{"model", model_},         {"query", question}, {"documents", documents},
                     {"texts", documents},      {"truncate", false}, {"raw_scores", true},
                     {"top_n", passages.size()}};
  auto answer = client_.Post("/rerank", body, cancel);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.code == ErrorCode::kNotFound) {
      error.code = ErrorCode::kUnavailable;
      error.message += ": the server reranks nothing (llama-server: start it with --rerank)";
    }
    return tl::unexpected(std::move(error));
  }
  auto scores = ReadScores(*answer, passages.size());
  if (!scores) return Fail(client_.base_url() + "/rerank", std::move(scores).error());
  return scores;
}

}  // namespace vade::retriever
