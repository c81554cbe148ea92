// How a user names a stored document or a part of it: "pump.pdf", "pump.pdf:12", "pump.md#Reset".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "vectorstore/store.h"

namespace vade::vectorstore {

/// The documents `pattern` names: a stored path, its last component, a folder, a glob, or a path
/// of the file system that lies in an indexed folder.
[[nodiscard]] Result<std::vector<DocumentRecord>> MatchDocuments(const Store& store,
                                                                 std::string_view pattern);

/// A document or a span of its text.
struct Excerpt {
  DocumentRecord document;
  std::string part;    // the page's label or the heading path; empty for the whole document
  uint64_t begin = 0;  // byte offsets into the document's text
  uint64_t end = 0;
  std::string text;
};

/// Resolves FILE, FILE:PAGE (label, then number) or FILE#HEADING (the section with all below it).
/// A file whose own name has ':' or '#' is found first. kNotFound and kInvalidArgument (ambiguous)
/// list the candidates.
[[nodiscard]] Result<Excerpt> ResolveExcerpt(const Store& store, std::string_view address);

/// A page (label, then number) of a document that is named by its number; all of it when `page` is
/// empty. Errors: kNotFound, kInvalidArgument as above.
[[nodiscard]] Result<Excerpt> ResolvePage(const Store& store, DocumentId id, std::string_view page);

/// Is the document in one of these collections (any, when there are none)?
/// Errors: kNotFound "no such document", which does not tell that there is one elsewhere.
[[nodiscard]] Result<void> CheckInCollections(const Store& store, const DocumentRecord& document,
                                              const std::vector<std::string>& names);

}  // namespace vade::vectorstore
