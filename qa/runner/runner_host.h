// What a runner holds: a language model, an embedder or a reranker.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/encoder_engine.h"
#include "engine/local_model.h"
#include "qa/runner/protocol.h"

namespace vade::qa {

/// Thread-safe once loaded.
class RunnerHost {
 public:
  /// Bytes of memory that Load would take; of encoders an estimate by the size of the file.
  /// Errors: Load's.
  [[nodiscard]] static Result<uint64_t> Measure(const RunnerSetup& setup);
  /// Errors: those of the engine; kUnsupported for a model of another kind.
  [[nodiscard]] static Result<RunnerHost> Load(const RunnerSetup& setup, uint64_t need);

  [[nodiscard]] const RunnerInfo& info() const { return info_; }
  /// Null for other kinds.
  [[nodiscard]] engine::LocalModel* model() const { return model_.get(); }

  /// {vectors, tokens}. `truncate`: what is too long loses its end, else it is refused.
  [[nodiscard]] Result<nlohmann::json> Embed(const std::vector<std::string>& texts, bool truncate,
                                             const CancelToken* cancel) const;
  /// {scores, tokens}.
  [[nodiscard]] Result<nlohmann::json> Rerank(const std::string& query,
                                              const std::vector<std::string>& texts, bool truncate,
                                              const CancelToken* cancel) const;
  [[nodiscard]] size_t CountTokens(const std::string& text) const;

 private:
  RunnerHost() = default;

  RunnerInfo info_;
  ModelKind kind_ = ModelKind::kGenerate;
  std::unique_ptr<engine::LocalModel> model_;
  std::unique_ptr<engine::EncoderEngine> encoder_;
};

}  // namespace vade::qa
