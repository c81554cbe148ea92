// JSON of what was indexed: what --json prints and the server sends.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "qa/indexer/indexer.h"
#include "vectorstore/store.h"

namespace vade::qa {

/// Counts, and every file that has something to say.
[[nodiscard]] nlohmann::json ToJson(const IndexReport& report);

/// Paths are as they are on disk: whoever prints this repairs what is no UTF-8.
[[nodiscard]] nlohmann::json ToJson(const vectorstore::DocumentRecord& record,
                                    const std::string& collection);

}  // namespace vade::qa
