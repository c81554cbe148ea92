// How a user names a stored document or a part of it: "pump.pdf", "pump.pdf:12", "pump.md#Reset".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "vectorstore/store.h"

namespace vade::qa {

/// The documents `pattern` names: a stored path, its last component, a folder, a glob, or a path
/// of the file system that lies in an indexed folder.
[[nodiscard]] Result<std::vector<vectorstore::DocumentRecord>> MatchDocuments(
    const vectorstore::Store& store, std::string_view pattern);

/// A document or a span of its text.
struct Excerpt {
  vectorstore::DocumentRecord document;
  std::string part;    // the page's label or the heading path; empty for the whole document
  uint64_t begin = 0;  // byte offsets into the document's text
  uint64_t end = 0;
  std::string text;
};

/// Resolves FILE, FILE:PAGE (label, then number) or FILE#HEADING (the section with all below it).
/// A file whose own name has ':' or '#' is found first. kNotFound and kInvalidArgument (ambiguous)
/// list the candidates.
[[nodiscard]] Result<Excerpt> ResolveExcerpt(const vectorstore::Store& store,
                                             std::string_view address);

}  // namespace vade::qa
