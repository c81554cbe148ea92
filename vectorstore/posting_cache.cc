#include "vectorstore/posting_cache.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vade::vectorstore {
namespace {

constexpr size_t kMaxEntries = size_t{16} << 20;  // 128 MB; then the cache starts over

struct Frequency {
  uint32_t at;
  uint32_t count;
};

// A single FTS5 string: quoted, quotes doubled. Our tokenizer takes it as one term.
std::string Quoted(const std::string& term) {
  std::string quoted = "\"";
  for (const char c : term) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  return quoted + '"';
}

Result<std::vector<Frequency>> ReadFrequencies(const Database& database, const ScanIndex& index,
                                               const std::string& term) {
  VADE_TRY(Statement rows,
           database.Prepare("SELECT rowid, vade_tf(fts) FROM fts WHERE fts MATCH ?1"));
  const std::string match = Quoted(term);
  rows.Bind(std::string_view(match));
  std::vector<Frequency> frequencies;
  while (true) {
    VADE_TRY(const bool row, rows.Step());
    if (!row) break;
    if (const auto position = index.PositionOf(rows.Int(0))) {
      frequencies.push_back({*position, rows.Unsigned32(1)});
    }
  }
  return frequencies;
}

// BM25 as Lucene and the TREC literature have it; the idf is never negative.
std::vector<Postings::Impact> Impacts(const std::vector<Frequency>& frequencies, double total,
                                      double average_length, auto length_of) {
  const auto matches = static_cast<double>(frequencies.size());
  const double idf = std::log1p((total - matches + 0.5) / (matches + 0.5));
  std::vector<Postings::Impact> impacts;
  impacts.reserve(frequencies.size());
  for (const auto [at, count] : frequencies) {
    const double relative = static_cast<double>(length_of(at)) / average_length;
    const double norm = kBm25K1 * (1.0 - kBm25B + kBm25B * relative);
    impacts.push_back({at, static_cast<float>(idf * count * (kBm25K1 + 1.0) / (count + norm))});
  }
  return impacts;
}

std::shared_ptr<const Postings> MakePostings(const ScanIndex& index,
                                             const std::vector<Frequency>& chunks) {
  auto postings = std::make_shared<Postings>();
  if (chunks.empty()) return postings;
  const auto terms = static_cast<double>(std::max<uint64_t>(index.live_terms(), 1));
  const auto num_chunks = static_cast<double>(index.live_chunks());
  const auto num_documents = static_cast<double>(index.live_documents());
  postings->chunks =
      Impacts(chunks, num_chunks, terms / num_chunks, [&](uint32_t at) { return index.terms(at); });
  std::vector<Frequency> documents;
  for (const auto [position, count] : chunks) {
    const uint32_t document = index.DocumentIndexAt(position);
    if (documents.empty() || documents.back().at != document) documents.push_back({document, 0});
    documents.back().count += count;
  }
  postings->documents = Impacts(documents, num_documents, terms / num_documents,
                                [&](uint32_t at) { return index.documents()[at].terms; });
  return postings;
}

}  // namespace

Result<std::shared_ptr<const Postings>> PostingCache::Get(const Database& database,
                                                          const ScanIndex& index,
                                                          const std::string& term) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = terms_.find(term); found != terms_.end()) return found->second;
  }
  VADE_TRY(const std::vector<Frequency> frequencies, ReadFrequencies(database, index, term));
  std::shared_ptr<const Postings> postings = MakePostings(index, frequencies);
  const std::lock_guard lock(mutex_);
  const size_t added = postings->chunks.size() + postings->documents.size() + 1;
  if (entries_ + added > kMaxEntries) {
    terms_.clear();
    entries_ = 0;
  }
  if (terms_.emplace(term, postings).second) entries_ += added;
  return postings;
}

void PostingCache::Clear() {
  const std::lock_guard lock(mutex_);
  terms_.clear();
  entries_ = 0;
}

std::vector<ScoredChunk> ScoreTerms(const ScanIndex& index, const std::vector<WeightedTerm>& terms,
                                    size_t k, float document_weight,
                                    const std::vector<bool>& allowed) {
  std::vector<float> chunk_scores(index.size());
  std::vector<float> document_scores(index.documents().size());
  std::vector<uint32_t> touched;
  for (const auto& [postings, weight] : terms) {
    for (const auto [at, score] : postings->chunks) {
      if (chunk_scores[at] == 0) touched.push_back(at);
      chunk_scores[at] += weight * score;
    }
    for (const auto [at, score] : postings->documents) document_scores[at] += weight * score;
  }
  TopK best(k);
  for (const uint32_t position : touched) {
    const uint32_t document = index.DocumentIndexAt(position);
    if (!allowed.empty() && !allowed[document]) continue;
    best.Add(chunk_scores[position] + document_weight * document_scores[document], position);
  }
  std::vector<ScoredChunk> chunks;
  for (const Scored& scored : best.Take()) {
    chunks.push_back({scored, chunk_scores[scored.position]});
  }
  return chunks;
}

}  // namespace vade::vectorstore
