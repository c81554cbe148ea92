// FakeStore: a Store in memory with a plain word search, for tests of what is built on a store.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vectorstore/lexical_tokenizer.h"
#include "vectorstore/store.h"

namespace vade::testing {

/// Documents get the ids 1, 2, ... and their chunks 1, 2, ... in the order of PutDocument.
/// Filters know documents and exact paths only. Scripted hits, when set, replace a search.
class FakeStore : public vectorstore::Store {
 public:
  using ChunkId = vectorstore::ChunkId;
  using DocumentId = vectorstore::DocumentId;

  std::optional<std::vector<vectorstore::Hit>> scripted_lexical;
  std::optional<std::vector<vectorstore::Hit>> scripted_dense;
  std::optional<Error> search_error;
  std::set<DocumentId> vanished;  // deleted between the search and the proof of a citation

  Result<std::optional<vectorstore::Fingerprints>> GetFingerprints() const override {
    return std::optional<vectorstore::Fingerprints>();
  }
  Result<void> SetFingerprints(const vectorstore::Fingerprints&) override { return {}; }
  Result<vectorstore::Collection> AddCollection(std::string_view root,
                                                std::string_view name) override {
    return vectorstore::Collection{1, std::string(name), std::string(root)};
  }
  Result<std::vector<vectorstore::Collection>> ListCollections() const override {
    return std::vector<vectorstore::Collection>{{1, "test", "/manuals"}};
  }

  Result<std::vector<vectorstore::DocumentRecord>> ListDocuments(
      const vectorstore::Filter&) const override {
    std::vector<vectorstore::DocumentRecord> records;
    for (const auto& [id, document] : documents_) records.push_back(document.record);
    return records;
  }
  Result<vectorstore::DocumentRecord> GetDocument(DocumentId id) const override {
    VADE_TRY(const vectorstore::NewDocument* document, Find(id));
    return document->record;
  }
  Result<std::string> GetText(DocumentId id) const override {
    VADE_TRY(const vectorstore::NewDocument* document, Find(id));
    return document->text;
  }
  Result<std::vector<vectorstore::PageRecord>> GetPages(DocumentId id) const override {
    VADE_TRY(const vectorstore::NewDocument* document, Find(id));
    return document->pages;
  }
  Result<std::vector<vectorstore::NoteRecord>> GetNotes(DocumentId id) const override {
    VADE_TRY(const vectorstore::NewDocument* document, Find(id));
    return document->notes;
  }
  Result<std::vector<vectorstore::ChunkRecord>> GetChunks(DocumentId id) const override {
    VADE_TRY(const vectorstore::NewDocument* document, Find(id));
    return document->chunks;
  }
  Result<vectorstore::ChunkRecord> GetChunk(ChunkId id) const override {
    const auto place = chunks_.find(id);
    if (place == chunks_.end()) return Fail(ErrorCode::kNotFound, "no such chunk");
    return documents_.at(place->second.first).chunks[place->second.second];
  }

  Result<DocumentId> PutDocument(vectorstore::NewDocument document) override {
    const auto id = static_cast<DocumentId>(documents_.size() + 1);
    document.record.id = id;
    for (size_t i = 0; i < document.chunks.size(); ++i) {
      vectorstore::ChunkRecord& chunk = document.chunks[i];
      chunk.id = static_cast<ChunkId>(chunks_.size() + 1);
      chunk.document = id;
      chunks_[chunk.id] = {id, i};
    }
    documents_[id] = std::move(document);
    return id;
  }
  Result<void> RenameDocument(DocumentId, std::string_view, int64_t) override { return {}; }
  Result<void> MergeCollection(vectorstore::CollectionId, vectorstore::CollectionId,
                               std::string_view) override {
    return {};
  }
  Result<void> TouchDocument(DocumentId, int64_t) override { return {}; }
  Result<void> DeleteDocument(DocumentId id) override {
    documents_.erase(id);
    std::erase_if(chunks_, [&](const auto& chunk) { return chunk.second.first == id; });
    return {};
  }

  Result<std::vector<vectorstore::Hit>> LexicalSearch(
      std::string_view query, size_t k, const vectorstore::Filter& filter) const override {
    if (search_error) return tl::unexpected<Error>(*search_error);
    if (scripted_lexical) return Cut(*scripted_lexical, k);
    std::map<std::string, std::set<ChunkId>> postings;
    for (const vectorstore::Token& token :
         vectorstore::Tokenize(query, vectorstore::TokenizeFor::kQuery)) {
      postings[token.term] = {};
    }
    for (const auto& [id, place] : chunks_) {
      for (const vectorstore::Token& token :
           vectorstore::Tokenize(Indexed(id), vectorstore::TokenizeFor::kIndex)) {
        if (const auto posting = postings.find(token.term); posting != postings.end()) {
          posting->second.insert(id);
        }
      }
    }
    std::map<ChunkId, double> scores;
    for (const auto& [term, ids] : postings) {
      for (const ChunkId id : ids) {
        scores[id] +=
            std::log(1 + static_cast<double>(chunks_.size()) / static_cast<double>(ids.size()));
      }
    }
    return Rank(scores, k, filter);
  }

  Result<std::vector<uint64_t>> CountChunksWith(std::span<const std::string> terms) const override {
    std::vector<uint64_t> counts(terms.size());
    for (const auto& [id, place] : chunks_) {
      std::set<std::string> words;
      for (const vectorstore::Token& token :
           vectorstore::Tokenize(Indexed(id), vectorstore::TokenizeFor::kIndex)) {
        words.insert(token.term);
      }
      for (size_t i = 0; i < terms.size(); ++i) counts[i] += words.count(terms[i]);
    }
    return counts;
  }

  Result<std::vector<vectorstore::Hit>> DenseSearch(
      std::span<const float> query, size_t k, const vectorstore::Filter& filter) const override {
    if (search_error) return tl::unexpected<Error>(*search_error);
    if (scripted_dense) return Cut(*scripted_dense, k);
    std::map<ChunkId, double> scores;
    for (const auto& [id, place] : chunks_) {
      VADE_TRY(const std::vector<float> vector, GetVector(id));
      double cosine = 0;
      for (size_t i = 0; i < vector.size() && i < query.size(); ++i) {
        cosine += static_cast<double>(vector[i]) * static_cast<double>(query[i]);
      }
      scores[id] = cosine;
    }
    return Rank(scores, k, filter);
  }

  Result<std::vector<float>> GetVector(ChunkId id) const override {
    const auto& [document_id, index] = chunks_.at(id);
    const vectorstore::NewDocument& document = documents_.at(document_id);
    const size_t dimension = document.vectors.size() / std::max<size_t>(1, document.chunks.size());
    const auto begin = document.vectors.begin() + static_cast<std::ptrdiff_t>(index * dimension);
    return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(dimension));
  }

  Result<int64_t> GetGeneration() const override { return 1; }
  Result<vectorstore::Counts> GetCounts() const override {
    vectorstore::Counts counts;
    counts.documents = documents_.size();
    counts.chunks = chunks_.size();
    return counts;
  }
  Result<vectorstore::VerifyReport> Verify() const override { return vectorstore::VerifyReport{}; }
  Result<void> Backup(const std::filesystem::path&) const override { return {}; }
  Result<void> Optimize() override { return {}; }

 private:
  Result<const vectorstore::NewDocument*> Find(DocumentId id) const {
    const auto place = documents_.find(id);
    if (place == documents_.end() || vanished.contains(id)) {
      return Fail(ErrorCode::kNotFound, "no such document");
    }
    return &place->second;
  }

  // As in the real store, the title is indexed with a document's first chunk.
  std::string Indexed(ChunkId id) const {
    const auto& [document_id, index] = chunks_.at(id);
    const vectorstore::NewDocument& document = documents_.at(document_id);
    const vectorstore::ChunkRecord& chunk = document.chunks[index];
    const std::string title = chunk.ordinal == 0 ? document.record.title + "\n" : "";
    return title + chunk.heading_path + "\n" + chunk.context + "\n" +
           document.text.substr(chunk.begin, chunk.end - chunk.begin);
  }

  static std::vector<vectorstore::Hit> Cut(std::vector<vectorstore::Hit> hits, size_t k) {
    hits.resize(std::min(k, hits.size()));
    return hits;
  }

  std::vector<vectorstore::Hit> Rank(const std::map<ChunkId, double>& scores, size_t k,
                                     const vectorstore::Filter& filter) const {
    std::vector<vectorstore::Hit> hits;
    for (const auto& [id, score] : scores) {
      const DocumentId document = chunks_.at(id).first;
      if (Passes(filter, document)) {
        hits.push_back({id, document, static_cast<float>(score), static_cast<float>(score)});
      }
    }
    std::stable_sort(hits.begin(), hits.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    return Cut(std::move(hits), k);
  }

  bool Passes(const vectorstore::Filter& filter, DocumentId id) const {
    const auto has = [](const auto& values, const auto& value) {
      return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
    };
    return has(filter.documents, id) && has(filter.path_globs, documents_.at(id).record.path);
  }

  std::map<DocumentId, vectorstore::NewDocument> documents_;
  std::map<ChunkId, std::pair<DocumentId, size_t>> chunks_;
};

}  // namespace vade::testing
