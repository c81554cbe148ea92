// The members that /search and /ask have in common.
#pragma once

#include "engine/base/result.h"
#include "qa/server/json_fields.h"
#include "retriever/retriever.h"

namespace vade::qa::server {

inline constexpr size_t kMaxQuestionBytes = size_t{64} << 10;

/// k, mode, collections, documents, paths. Wrong ones are `fields`' to report.
[[nodiscard]] retriever::SearchOptions ReadSearchOptions(Fields& fields, size_t default_k);

}  // namespace vade::qa::server
