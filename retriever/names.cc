// Inverse document frequency among titles; exact matches of identifiers in passages.
#include "retriever/names.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "retriever/query.h"
#include "vectorstore/lexical_tokenizer.h"

namespace vade::retriever {
namespace {

// Fused scores lie in [0, 1]: a passage that alone holds an error code outranks everything else.
constexpr double kIdentifierBonus = 1.0;
// An identifier in up to this many passages says where to look; in more, its weight falls as 1/n.
constexpr double kLocatingPassages = 4;
// The best of the fused list are checked for identifiers too; each costs reading its document.
constexpr size_t kCheckedCandidates = 20;

using TermSet = std::unordered_set<std::string>;

/// Content words and identifiers. Both forms of an identifier meet ("BM-200", "bm200").
TermSet TermsOf(std::string_view text, vectorstore::TokenizeFor purpose) {
  TermSet terms;
  for (vectorstore::Token& token : vectorstore::Tokenize(text, purpose)) {
    if (!vectorstore::IsStopWord(token.term)) terms.insert(std::move(token.term));
  }
  for (std::string& key : IdentifierKeys(text)) terms.insert(std::move(key));
  return terms;
}

std::string_view FileStem(std::string_view path) {
  const size_t slash = path.find_last_of('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return path.substr(0, path.find_last_of('.'));
}

std::string NameText(const DocumentName& name) {
  return name.title + " " + std::string(FileStem(name.path));
}

/// For each asked identifier: does this chunk hold it (text, heading or table header)?
Result<std::vector<bool>> HeldIdentifiers(const vectorstore::Store& store,
                                          const std::vector<std::string>& asked,
                                          vectorstore::ChunkId id, DocumentCache& documents) {
  VADE_TRY(const vectorstore::ChunkRecord chunk, store.GetChunk(id));
  VADE_TRY(const DocumentView* view, documents.Get(chunk.document));
  std::string text = chunk.heading_path + "\n" + chunk.context + "\n";
  if (chunk.begin <= chunk.end && chunk.end <= view->text.size()) {
    text.append(view->text, chunk.begin, chunk.end - chunk.begin);
  }
  const std::vector<std::string> keys = IdentifierKeys(text);
  std::vector<bool> held;
  for (const std::string& key : asked) {
    held.push_back(std::find(keys.begin(), keys.end(), key) != keys.end());
  }
  return held;
}

/// Appends the hits that are no candidates yet; returns the places of all hits.
std::vector<size_t> PlacesOf(const std::vector<vectorstore::Hit>& hits,
                             std::vector<Candidate>& candidates) {
  std::unordered_map<vectorstore::ChunkId, size_t> place_of;
  for (size_t i = 0; i < candidates.size(); ++i) place_of[candidates[i].chunk] = i;
  std::vector<size_t> places;
  for (const vectorstore::Hit& hit : hits) {
    const auto [place, is_new] = place_of.try_emplace(hit.chunk, candidates.size());
    if (is_new) {
      Candidate candidate;
      candidate.chunk = hit.chunk;
      candidate.document = hit.document;
      candidates.push_back(candidate);
    }
    places.push_back(place->second);
  }
  return places;
}

}  // namespace

std::vector<double> TitleMatch(std::string_view question, const std::vector<DocumentName>& names) {
  const TermSet asked = TermsOf(question, vectorstore::TokenizeFor::kQuery);
  std::vector<TermSet> named(names.size());  // asked words in each name
  std::unordered_map<std::string, size_t> carriers;
  for (size_t i = 0; i < names.size(); ++i) {
    for (const std::string& term : TermsOf(NameText(names[i]), vectorstore::TokenizeFor::kIndex)) {
      if (!asked.contains(term)) continue;
      named[i].insert(term);
      ++carriers[term];
    }
  }
  const double num_names = static_cast<double>(names.size());
  const auto weight = [&](const std::string& term) {
    return std::log(num_names / static_cast<double>(carriers[term]));
  };
  double asked_weight = 0;
  for (const auto& [term, count] : carriers) asked_weight += weight(term);
  std::vector<double> match(names.size(), 0.0);
  if (asked_weight <= 0) return match;
  for (size_t i = 0; i < names.size(); ++i) {
    for (const std::string& term : named[i]) match[i] += weight(term);
    match[i] /= asked_weight;
  }
  return match;
}

Result<std::vector<DocumentName>> NamesOf(const vectorstore::Store& store,
                                          const std::vector<Candidate>& candidates) {
  std::vector<DocumentName> names;
  std::unordered_set<vectorstore::DocumentId> seen;
  for (const Candidate& candidate : candidates) {
    if (!seen.insert(candidate.document).second) continue;
    VADE_TRY(vectorstore::DocumentRecord record, store.GetDocument(candidate.document));
    names.push_back({candidate.document, std::move(record.title), std::move(record.path)});
  }
  return names;
}

std::vector<std::string> LocatingIdentifiers(const std::vector<std::string>& asked,
                                             const std::vector<DocumentName>& names) {
  std::vector<std::string> locating = asked;
  for (const DocumentName& name : names) {
    for (const std::string& key : IdentifierKeys(NameText(name))) std::erase(locating, key);
  }
  return locating;
}

std::string NamingWords(std::string_view question, const std::vector<DocumentName>& names) {
  TermSet named;
  for (const DocumentName& name : names) {
    named.merge(TermsOf(NameText(name), vectorstore::TokenizeFor::kIndex));
  }
  std::string words;
  size_t end = 0;
  for (const vectorstore::Token& token :
       vectorstore::Tokenize(question, vectorstore::TokenizeFor::kQuery)) {
    if (token.begin < end || !named.contains(token.term)) continue;
    words += std::string(question.substr(token.begin, token.end - token.begin)) + " ";
    end = token.end;
  }
  return words;
}

void AddNameCredit(std::string_view question, const std::vector<DocumentName>& names,
                   const std::vector<vectorstore::Hit>& hits, LexicalPart part,
                   std::vector<Candidate>& candidates) {
  const std::vector<double> match = TitleMatch(question, names);
  std::unordered_map<vectorstore::DocumentId, double> match_of;
  for (size_t i = 0; i < names.size(); ++i) match_of[names[i].document] = match[i];
  std::unordered_map<vectorstore::ChunkId, double> earned;
  double best = 0;
  for (const vectorstore::Hit& hit : hits) {
    const double score =
        static_cast<double>(part == LexicalPart::kPassageOnly ? hit.own_score : hit.score);
    earned[hit.chunk] = score;
    best = std::max(best, score);
  }
  for (Candidate& candidate : candidates) {
    const double own = earned.contains(candidate.chunk) ? earned[candidate.chunk] : 0;
    candidate.name_credit = std::max(0.0, best * match_of[candidate.document] - own);
  }
}

Result<void> AddIdentifierBonus(const vectorstore::Store& store,
                                const std::vector<std::string>& locating,
                                const std::vector<vectorstore::Hit>& hits, DocumentCache& documents,
                                std::vector<Candidate>& candidates) {
  SortByScore(candidates);
  std::vector<size_t> places = PlacesOf(hits, candidates);
  for (size_t i = 0; i < std::min(kCheckedCandidates, candidates.size()); ++i) places.push_back(i);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());

  std::vector<std::vector<bool>> held(places.size());
  std::vector<double> num_holders(locating.size(), 0.0);
  for (size_t i = 0; i < places.size(); ++i) {
    VADE_TRY(held[i], HeldIdentifiers(store, locating, candidates[places[i]].chunk, documents));
    for (size_t k = 0; k < locating.size(); ++k) num_holders[k] += held[i][k] ? 1 : 0;
  }
  for (size_t i = 0; i < places.size(); ++i) {
    double share = 0;
    for (size_t k = 0; k < locating.size(); ++k) {
      if (held[i][k]) share += std::min(1.0, kLocatingPassages / num_holders[k]);
    }
    Candidate& candidate = candidates[places[i]];
    candidate.identifier_bonus = kIdentifierBonus * share / static_cast<double>(locating.size());
    candidate.score += candidate.identifier_bonus;
  }
  return {};
}

}  // namespace vade::retriever
