// An online copy of a database: consistent, atomic, durable.
#pragma once

#include <filesystem>

#include "engine/base/result.h"
#include "vectorstore/sqlite.h"

namespace vade::vectorstore {

/// Copies every page of one snapshot of `source` over `target`.
[[nodiscard]] Result<void> CopyPages(const Database& source, const Database& target);

enum class CopyIdentity {
  kKeep,  // the copy is the same store, set aside
  kNew,   // the copy is a store of its own: it may later be put in the original's place
};

/// Copies to "destination.part" page by page in one read transaction, then renames. Readers and the
/// writer go on. On failure `destination` is untouched.
[[nodiscard]] Result<void> CopyDatabase(const Database& source,
                                        const std::filesystem::path& destination,
                                        CopyIdentity identity);

}  // namespace vade::vectorstore
