// Names: what the question calls by name. Documents by words of their titles, places by
// identifiers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "retriever/fusion.h"
#include "retriever/passages.h"
#include "vectorstore/store.h"

namespace vade::retriever {

/// What a document is called: its title and its file's name.
struct DocumentName {
  vectorstore::DocumentId document = 0;
  std::string title;
  std::string path;
};

/// For each name, in [0, 1]: how much of what the question says about documents this one satisfies.
/// A word counts by how few of the names carry it (two models of one device share most of their
/// title; the model number is what separates them); a word all of them carry counts nothing.
/// All zero when the question names no document.
[[nodiscard]] std::vector<double> TitleMatch(std::string_view question,
                                             const std::vector<DocumentName>& names);

/// The names of all documents of the candidates, each once.
[[nodiscard]] Result<std::vector<DocumentName>> NamesOf(const vectorstore::Store& store,
                                                        const std::vector<Candidate>& candidates);

/// Those of `asked` (IdentifierKeys) that name no document. A model number in a title says which
/// document is meant, and every passage of it satisfies that; any other identifier says where to
/// look.
[[nodiscard]] std::vector<std::string> LocatingIdentifiers(const std::vector<std::string>& asked,
                                                           const std::vector<DocumentName>& names);

/// The question's words that stand in any of the names, joined by spaces; empty if there are none.
[[nodiscard]] std::string NamingWords(std::string_view question,
                                      const std::vector<DocumentName>& names);

/// A document's name counts for each of its passages: only a few of them repeat it, and without
/// this the title page would win every question that names the device. `hits` are those of a
/// lexical search for the naming words; a passage of a named document is credited with what the
/// best of them earned, instead of its own.
void AddNameCredit(std::string_view question, const std::vector<DocumentName>& names,
                   const std::vector<vectorstore::Hit>& hits, LexicalPart part,
                   std::vector<Candidate>& candidates);

/// Adds to the score of passages that hold identifiers exactly. `hits` are those of a lexical
/// search for the identifiers alone; a hit that is no candidate yet becomes one.
/// A rare identifier (an error code) decides; one found in many passages only nudges.
[[nodiscard]] Result<void> AddIdentifierBonus(const vectorstore::Store& store,
                                              const std::vector<std::string>& locating,
                                              const std::vector<vectorstore::Hit>& hits,
                                              DocumentCache& documents,
                                              std::vector<Candidate>& candidates);

}  // namespace vade::retriever
