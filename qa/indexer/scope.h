// Scope: which collection, and which part of it, an index run is about.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "vectorstore/store.h"

namespace vade::qa {

struct Scope {
  vectorstore::Collection collection;
  std::string prefix;       // path of the walked folder inside the collection: "" or "sub/folder/"
  std::string single_file;  // relative to prefix, when one file was named; else empty

  /// Path inside the collection of a path the walker found.
  [[nodiscard]] std::string ToStored(std::string_view walked) const {
    return prefix + std::string(walked);
  }
  /// True if a stored path belongs to what this run walks.
  [[nodiscard]] bool Covers(std::string_view stored) const {
    if (!single_file.empty()) return stored == prefix + single_file;
    return stored.starts_with(prefix);
  }
};

/// Finds the known collection that `root` lies in, or adds one rooted at it (at its folder, for a
/// file); known collections inside a new folder become part of it. Errors: kNotFound, kIo for the path; those of the store.
[[nodiscard]] Result<Scope> ResolveScope(const std::string& root, std::string_view name,
                                         vectorstore::Store& store);

}  // namespace vade::qa
