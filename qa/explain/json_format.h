// The explanation as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "qa/explain/attention_view.h"
#include "qa/explain/explanation.h"

namespace vade::qa {

/// Which attention maps to write: all, those of a layer, or one.
struct AttentionChoice {
  std::optional<size_t> layer_idx;
  std::optional<size_t> head;
};

/// Weights written at most; beyond it a layer's heads are given as their mean, and "heads" says so.
inline constexpr size_t kMaxJsonWeights = 2'000'000;

[[nodiscard]] nlohmann::json ToJson(const Explanation& explanation, const AttentionChoice& choice);

}  // namespace vade::qa
