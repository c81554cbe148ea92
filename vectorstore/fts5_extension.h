// What SQLite must be taught per connection: the FTS5 tokenizer "vade", the auxiliary function
// vade_tf() and the function vade_body() behind the view chunk_text.
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "vectorstore/sqlite.h"

namespace vade::vectorstore {

/// Counts what the tokenizer produced on one connection.
struct TokenCounter {
  uint64_t positions = 0;  // tokens that are not colocated: a text's length for BM25
};

/// Registers everything on `database`. `counter` must outlive the connection.
[[nodiscard]] Result<void> RegisterExtension(const Database& database, TokenCounter* counter);

}  // namespace vade::vectorstore
