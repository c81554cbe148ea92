// Judgments and runs as JSON objects of objects: {"q1": {"doc3": 1.5, ...}, ...}.
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "qa/eval/relevance.h"

namespace vade::qa::eval {

/// Errors: kCorruptData with the byte offset for broken JSON, another shape, a key given twice, or
/// a number out of range. Nesting never goes deeper than the two levels of the form.
[[nodiscard]] Result<Qrels> ParseJsonQrels(std::string_view text, std::string_view name);
[[nodiscard]] Result<Run> ParseJsonRun(std::string_view text, std::string_view name);

}  // namespace vade::qa::eval
