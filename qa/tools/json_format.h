// JSON of answers with tools: what --json prints.
#pragma once

#include <nlohmann/json.hpp>

#include "qa/tools/tool_answerer.h"

namespace vade::qa {

/// As that of a ModelAnswer, with "grounded" and the calls in "tools".
[[nodiscard]] nlohmann::json ToJson(const ToolAnswer& answer);

}  // namespace vade::qa
