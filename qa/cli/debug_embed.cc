#include "qa/cli/debug_embed.h"

#include <span>
#include <utility>

namespace vade::qa {
namespace {

using engine::TokenId;
using import::JsonObject;
using nlohmann::json;

using Sequences = std::vector<std::vector<TokenId>>;

tl::unexpected<Error> Wrong(const JsonObject& line, const char* field, const std::string& why) {
  return Fail(ErrorCode::kCorruptData, line.name() + ": \"" + field + "\": " + why);
}

// The documents of a line: "documents", or a single "document".
Result<std::vector<std::string>> ReadDocuments(const JsonObject& line) {
  if (line.Find("document") != nullptr) {
    VADE_TRY(std::string document, line.GetString("document", std::nullopt));
    return std::vector<std::string>{std::move(document)};
  }
  const json* documents = line.Find("documents");
  if (documents == nullptr || !documents->is_array()) {
    return Wrong(line, "documents", "want an array of strings");
  }
  std::vector<std::string> out;
  for (const json& document : *documents) {
    if (!document.is_string()) return Wrong(line, "documents", "want an array of strings");
    out.push_back(document.get<std::string>());
  }
  return out;
}

Result<Sequences> ReadPairs(const JsonObject& line, const engine::EncoderEngine& engine) {
  Sequences sequences;
  if (const json* ids = line.Find("ids"); ids != nullptr) {
    const bool nested = ids->is_array() && !ids->empty() && ids->front().is_array();
    for (const json& list : nested ? *ids : json::array({*ids})) {
      VADE_TRY(sequences.emplace_back(), ReadTokenIds(line, list));
    }
    return sequences;
  }
  VADE_TRY(const std::string query, line.GetString("query", std::nullopt));
  VADE_TRY(const auto documents, ReadDocuments(line));
  for (const std::string& document : documents) {
    sequences.push_back(engine.TokenizePair(query, document));
  }
  return sequences;
}

json Rows(std::span<const float> values, size_t width) {
  json rows = json::array();
  for (size_t at = 0; at < values.size(); at += width) {
    rows.push_back(std::vector<float>(values.begin() + static_cast<ptrdiff_t>(at),
                                      values.begin() + static_cast<ptrdiff_t>(at + width)));
  }
  return rows;
}

}  // namespace

Result<std::vector<TokenId>> ReadTokenIds(const JsonObject& line, const json& ids) {
  if (!ids.is_array()) return Wrong(line, "ids", "want an array of token ids");
  std::vector<TokenId> out;
  for (const json& id : ids) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > INT32_MAX) {
      return Wrong(line, "ids", "got " + id.dump().substr(0, 40) + ", want a token id");
    }
    out.push_back(id.get<TokenId>());
  }
  return out;
}

Result<void> EmbedProbe::Open(const std::string& pooling) {
  if (engine_ != nullptr && pooling_ == pooling) return {};
  engine_.reset();  // never two models in memory
  VADE_TRY(engine_, engine::EncoderEngine::Load(model_, {.num_threads = num_threads_,
                                                         .pooling = pooling,
                                                         .decoder_pooling = "last"}));
  pooling_ = pooling;
  return {};
}

Result<json> EmbedProbe::Embed(const JsonObject& line) {
  VADE_TRY(const std::string pooling, line.GetString("pooling", ""));
  VADE_CHECK_OK(Open(pooling));
  Sequences sequences(1);
  if (const json* ids = line.Find("ids"); ids != nullptr) {
    VADE_TRY(sequences[0], ReadTokenIds(line, *ids));
  } else {
    VADE_TRY(const std::string text, line.GetString("text", std::nullopt));
    sequences[0] = engine_->Tokenize(text, true, false);
  }
  if (engine_->pooling() == "none") {
    VADE_TRY(const auto vectors, engine_->TokenVectors(sequences[0], &cancel_));
    return json{{"token_embeddings", Rows(vectors, vectors.size() / sequences[0].size())}};
  }
  std::vector<float> embedding(engine_->dimension());
  VADE_CHECK_OK(engine_->Embed(sequences, embedding, &cancel_));
  return json{{"embedding", embedding}};
}

Result<json> EmbedProbe::Rank(const JsonObject& line) {
  VADE_CHECK_OK(Open("rank"));
  VADE_TRY(const Sequences sequences, ReadPairs(line, *engine_));
  const size_t labels = engine_->dimension();
  std::vector<float> values(sequences.size() * labels);
  VADE_CHECK_OK(engine_->Embed(sequences, values, &cancel_));
  json scores = json::array();
  for (size_t at = 0; at < values.size(); at += labels) scores.push_back(values[at]);
  json out{{"scores", std::move(scores)}};
  if (labels > 1) out["values"] = Rows(values, labels);
  return out;
}

}  // namespace vade::qa
