// Models: the names that requests use -> the models that answer: files in runner processes, and the
// remote servers that the operator has named. A name never becomes a path or an address.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/language_model.h"
#include "engine/remote/model_source.h"
#include "qa/runner/model_pool.h"
#include "qa/server/model_facts.h"

namespace vade::qa::server {

struct ModelSettings {
  ModelPoolOptions pool;  // its `names.named`: what the operator called files
  std::map<std::string, std::shared_ptr<engine::LanguageModel>> remote;  // by name
  std::string default_model;         // of questions that name none; empty: answers are composed
  std::string small, medium, large;  // of "auto"; empty: the next one that is named
  std::string reranker;              // of rerank requests that name none
  bool allow_changes = false;        // pulling and deleting models over HTTP
  remote::Registries registries;     // to pull from
};

/// A model to answer with.
struct GeneratorUse {
  std::string name;
  std::shared_ptr<engine::LanguageModel> model;  // keeps it loaded
  double load_ms = 0;
};

/// What "auto" chose.
struct Routing {
  std::string model;
  std::string size;  // "small", "medium", "large"
  std::string reason;
};

struct InstalledModel {
  std::string name;
  std::filesystem::path path;  // empty: remote
  std::optional<ModelFacts> facts;
};

/// Thread-safe.
class Models {
 public:
  explicit Models(ModelSettings settings);

  /// Errors: kNotFound; ModelPool::Acquire's.
  [[nodiscard]] Result<GeneratorUse> Generator(const std::string& name,
                                               std::optional<std::chrono::seconds> keep_alive,
                                               const CancelToken* cancel);
  [[nodiscard]] Result<std::shared_ptr<ModelLease>> Encoder(
      const std::string& name, ModelKind kind, std::optional<std::chrono::seconds> keep_alive,
      const CancelToken* cancel);

  /// Which of the three models a question needs. Errors: kNotFound when none is configured.
  [[nodiscard]] Result<Routing> Route(std::string_view question) const;

  [[nodiscard]] std::vector<InstalledModel> Installed();
  /// Errors: kNotFound.
  [[nodiscard]] Result<InstalledModel> Find(const std::string& name);
  /// Most tokens of a prompt with its answer: what the model was trained for, or less if the server
  /// was started with less.
  [[nodiscard]] uint64_t ContextLength(const ModelFacts& facts) const;
  [[nodiscard]] ModelPool& pool() { return pool_; }
  [[nodiscard]] const ModelSettings& settings() const { return settings_; }

 private:
  const ModelSettings settings_;
  ModelPool pool_;
  ModelFactsCache facts_;
};

/// How much a question asks of a model, in [0, 1], and why. Rules, not a model: the choice must
/// cost nothing and be explained.
struct Complexity {
  double score = 0;
  std::string reason;
};
[[nodiscard]] Complexity MeasureComplexity(std::string_view question);

}  // namespace vade::qa::server
