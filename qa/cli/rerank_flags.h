// --rerank: the reranker of a search, local or behind a server.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "qa/cli/context.h"
#include "retriever/reranker.h"

namespace vade::qa {

struct RerankFlags {
  std::string model;  // empty: none
  size_t top = 20;
};

/// --rerank, --rerank-top.
void AddRerankFlags(CLI::App& command, RerankFlags& flags);

/// Null without --rerank, and on failure; then *exit_code says what to return and the reason is
/// printed.
[[nodiscard]] std::unique_ptr<retriever::Reranker> OpenReranker(const Context& context,
                                                                const RerankFlags& flags,
                                                                int* exit_code);

}  // namespace vade::qa
