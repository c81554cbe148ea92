// One line of "vade debug logits": a prompt of token ids -> the model's logits and greedy
// continuation, for comparing with any reference.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/decoder_engine.h"
#include "engine/import/json_file.h"

namespace vade::qa {

/// Loads the model at the first line, and again when a line asks for another context or cache.
class LogitsProbe {
 public:
  LogitsProbe(std::string model, size_t num_threads, const CancelToken& cancel)
      : model_(std::move(model)), num_threads_(num_threads), cancel_(cancel) {}

  /// {ids, split, context, kv} -> {logits, greedy}: the logits after the last id, and up to 16 ids
  /// that follow. split (default 0: none) feeds the ids before it as a batch of their own. context
  /// defaults to 512, or what the ids need; kv to "f32" (also "f16", "q8_0"), as references have
  /// exact caches.
  /// Errors: kCorruptData naming the field; those of DecoderEngine.
  [[nodiscard]] Result<nlohmann::json> operator()(const import::JsonObject& line);

 private:
  [[nodiscard]] Result<void> Prepare(const import::JsonObject& line, size_t num_ids);

  const std::string model_;
  const size_t num_threads_;
  const CancelToken& cancel_;
  engine::DecoderOptions options_;  // of engine_
  std::unique_ptr<engine::DecoderEngine> engine_;
};

}  // namespace vade::qa
