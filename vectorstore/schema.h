// The tables of a store, its version, and the way from an older version to this one.
// Format: docs/store_format.md.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/result.h"
#include "vectorstore/sqlite.h"

namespace vade::vectorstore {

inline constexpr uint32_t kApplicationId = 0x76616465;  // "vade"
inline constexpr uint32_t kSchemaVersion = 1;
inline constexpr uint32_t kPageBytes = 8192;     // fewer overflow pages for vector blobs than 4096
inline constexpr uint32_t kMaxBlockRows = 1024;  // rows of one vector_block

/// Makes all tables in an empty database, in one transaction.
[[nodiscard]] Result<void> CreateSchema(const Database& database);

/// A positive random number that tells two stores apart.
[[nodiscard]] int64_t NewStoreId();

/// One step of a migration: SQL that leads from version `from` to `from + 1`.
struct Migration {
  uint32_t from;
  const char* sql;
};

/// Applies the steps from `version` to `target` in one transaction: all or nothing.
/// kCorruptData if a step is missing.
[[nodiscard]] Result<void> Migrate(const Database& database, uint32_t version, uint32_t target,
                                   std::span<const Migration> steps);

/// The steps of the released versions. There is one version so far.
[[nodiscard]] std::span<const Migration> Migrations() noexcept;

}  // namespace vade::vectorstore
