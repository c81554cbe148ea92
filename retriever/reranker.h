// Reranker: how well passages answer a question, read together with it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"

namespace vade::retriever {

/// Thread-safe.
class Reranker {
 public:
  virtual ~Reranker() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;

  /// One score per passage, in their order; higher is better, comparable within one call only.
  /// Errors: kCancelled; kUnavailable for what a server did; the model's own.
  [[nodiscard]] virtual Result<std::vector<float>> Score(std::string_view question,
                                                         std::span<const std::string_view> passages,
                                                         const CancelToken* cancel = nullptr) = 0;
};

}  // namespace vade::retriever
