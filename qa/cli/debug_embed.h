// One line of "vade debug embed" and "vade debug rank": token ids or texts -> vectors or scores,
// for comparing with any reference.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/encoder_engine.h"
#include "engine/import/json_file.h"

namespace vade::qa {

/// The value of a line's "ids". Errors: kCorruptData naming the field.
[[nodiscard]] Result<std::vector<engine::TokenId>> ReadTokenIds(const import::JsonObject& line,
                                                                const nlohmann::json& ids);

/// Loads the model anew when a line asks for another pooling.
class EmbedProbe {
 public:
  EmbedProbe(std::string model, size_t num_threads, const CancelToken& cancel)
      : model_(std::move(model)), num_threads_(num_threads), cancel_(cancel) {}

  /// Loads the model with this pooling; empty: the file's, or the last token of a decoder that
  /// names none. Errors: EncoderEngine::Load's.
  [[nodiscard]] Result<void> Open(const std::string& pooling);

  /// {text} or {ids}, {pooling} -> {embedding}: a unit vector; with pooling none
  /// {token_embeddings}: a vector per token as it is. pooling: as of Open.
  /// Errors: kCorruptData naming the field; those of EncoderEngine.
  [[nodiscard]] Result<nlohmann::json> Embed(const import::JsonObject& line);

  /// {query, documents} or {ids} (a list, or a list of lists) -> {scores}: one per document, as the
  /// model gives it: llama.cpp's raw score, for a reranker of the Qwen3 kind a probability. A model
  /// of several labels adds {values}: all of them per document; its score is the first.
  /// A single document ({document}, or one list of ids) is answered alike.
  [[nodiscard]] Result<nlohmann::json> Rank(const import::JsonObject& line);

 private:
  const std::string model_;
  const size_t num_threads_;
  const CancelToken& cancel_;
  std::string pooling_;  // asked of engine_
  std::unique_ptr<engine::EncoderEngine> engine_;
};

}  // namespace vade::qa
