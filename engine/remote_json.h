// What the JSON of both kinds of model servers has in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/language_model.h"

namespace vade::engine {

/// A member as text; empty when it is missing or something else.
[[nodiscard]] std::string JsonText(const nlohmann::json& object, const std::string& key);
/// A member as a count; 0 when it is missing, negative or something else.
[[nodiscard]] size_t JsonCount(const nlohmann::json& object, const std::string& key);

/// [{"type":"function","function":{name, description, parameters}}]
/// Errors: kInvalidArgument for a schema that is no JSON object.
[[nodiscard]] Result<nlohmann::json> ToolsJson(const std::vector<ToolSpec>& tools);

/// Appends {"logprobs":[...]} or {"logprobs":{"content":[...]}}.
void TakeLogprobs(const nlohmann::json& holder, std::vector<TokenLogprob>& out);

/// What a server would be asked to believe. Errors: kInvalidArgument naming the option.
[[nodiscard]] Result<void> CheckSampling(const runtime::SamplingOptions& sampling);

}  // namespace vade::engine
