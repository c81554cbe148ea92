// What a model file says of itself, for lists of models; read once as long as it stays the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "engine/base/result.h"
#include "qa/runner/protocol.h"

namespace vade::qa::server {

struct ModelFacts {
  ModelKind kind = ModelKind::kGenerate;
  std::string architecture;
  std::string quantization;  // "Q4_K_M", as general.file_type names it
  std::string digest;        // SHA-256 of what stands before the weights: names, shapes, vocabulary
  std::string chat_template;
  uint64_t num_values = 0;
  uint64_t size_bytes = 0;
  uint64_t context_length = 0;  // trained
  uint64_t embedding_length = 0;
  int64_t modified_at = 0;  // Unix seconds

  /// "1.2B", "135M".
  [[nodiscard]] std::string ParameterSize() const;
};

/// Thread-safe.
class ModelFactsCache {
 public:
  /// Errors: those of opening a GGUF file.
  [[nodiscard]] Result<ModelFacts> Get(const std::filesystem::path& path);

 private:
  struct Entry {
    ModelFacts facts;
    int64_t modified_ns = 0;
    uint64_t size = 0;
  };
  std::mutex mutex_;
  std::map<std::filesystem::path, Entry> entries_;
};

}  // namespace vade::qa::server
