// The words that the server and its runner processes exchange, as JSON objects. Each frame has an
// "op"; frames of a request carry its "id".
//
//   to the runner    load {setup}  go  generate {id, request}  count {id, request}
//                    count_text {id, text}  embed {id, texts, truncate}  rerank {id, query, texts}
//                    cancel {id}  stats {id}  shutdown
//   from the runner  need {bytes}  ready {info}  failed {error}
//                    text {id, text}  progress {id, done, total}  done {id, ...}  error {id, error}
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/language_model.h"

namespace vade::qa {

enum class ModelKind : uint8_t { kGenerate, kEmbed, kRerank };

/// "generate", "embed", "rerank".
[[nodiscard]] std::string_view ModelKindName(ModelKind kind) noexcept;

/// What a runner is told to load. Zeros: what the engine takes by itself.
struct RunnerSetup {
  std::filesystem::path model;
  ModelKind kind = ModelKind::kGenerate;
  size_t threads = 0;
  size_t context_length = 0;
  size_t max_parallel = 4;    // replies written side by side
  size_t max_queue = 64;      // requests waiting for a place, beyond which they are refused
  std::string kv = "f16";     // f16, q8_0 or f32
  uint64_t memory_limit = 0;  // RLIMIT_AS of the process in bytes; 0: none
};

/// What a runner has loaded.
struct RunnerInfo {
  std::string name;  // of the model, as its file says
  std::string architecture;
  size_t context_length = 0;  // of an embedder: tokens of the longest text
  size_t trained_context_length = 0;
  size_t dimension = 0;  // of an embedder
  uint64_t memory_bytes = 0;
};

/// What a runner is doing.
struct RunnerStats {
  size_t running = 0;
  size_t waiting = 0;
};

[[nodiscard]] nlohmann::json ToJson(const Error& error);
[[nodiscard]] nlohmann::json ToJson(const RunnerSetup& setup);
[[nodiscard]] nlohmann::json ToJson(const RunnerInfo& info);
[[nodiscard]] nlohmann::json ToJson(const engine::ModelRequest& request);
[[nodiscard]] nlohmann::json ToJson(const engine::ModelReply& reply);

/// An error of any shape becomes one; never fails.
[[nodiscard]] Error ErrorFromJson(const nlohmann::json& json);
// Errors: kCorruptData naming the field.
[[nodiscard]] Result<RunnerSetup> SetupFromJson(const nlohmann::json& json);
[[nodiscard]] Result<RunnerInfo> InfoFromJson(const nlohmann::json& json);
[[nodiscard]] Result<engine::ModelRequest> RequestFromJson(const nlohmann::json& json);
[[nodiscard]] Result<engine::ModelReply> ReplyFromJson(const nlohmann::json& json);

}  // namespace vade::qa
