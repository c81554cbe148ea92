// Texts to vectors, by a model in a runner.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "qa/server/service.h"

namespace vade::qa::server {

struct EmbeddedTexts {
  std::vector<std::vector<float>> vectors;  // [texts], unit length
  size_t tokens = 0;
  double load_ms = 0;
};

/// `dimensions`: only so many, of unit length again (models trained for it lose little); 0: all.
/// Errors: kInvalidArgument for more dimensions than there are, and, unless `truncate`, for a text
/// that is too long; ModelPool::Acquire's.
[[nodiscard]] Result<EmbeddedTexts> EmbedTexts(Service& service, const std::string& model,
                                               const std::vector<std::string>& texts,
                                               size_t dimensions, bool truncate,
                                               std::optional<std::chrono::seconds> keep_alive,
                                               const CancelToken* cancel);

}  // namespace vade::qa::server
