// Store: one SQLite file holding documents, their text, pages, chunks, postings and vectors.
// Format: docs/store_format.md. sqlite3.h is seen in this folder only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace vade::vectorstore {

using DocumentId = int64_t;
using ChunkId = int64_t;
using CollectionId = int64_t;

/// A folder (or file) the user asked to index.
struct Collection {
  CollectionId id = 0;
  std::string name;  // unique; defaults to the folder's name
  std::string root;  // absolute path bytes
};

enum class DocumentStatus : uint8_t { kIndexed = 0, kSkipped = 1 };

struct PageRecord {
  uint32_t number = 1;
  std::string label;
  uint64_t begin = 0;  // byte offsets into the document's text
  uint64_t end = 0;
  bool has_text = true;
};

struct NoteRecord {
  uint32_t page = 0;
  std::string text;
};

struct DocumentRecord {
  DocumentId id = 0;
  CollectionId collection = 0;
  std::string path;  // relative to the collection's root, bytes
  uint64_t content_hash = 0;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  std::string type;
  std::string title;
  std::string language;
  uint32_t page_count = 0;
  uint32_t chunk_count = 0;
  uint64_t text_bytes = 0;
  DocumentStatus status = DocumentStatus::kIndexed;
  std::string reason;      // why it was skipped
  int64_t indexed_at = 0;  // Unix seconds
};

struct ChunkRecord {
  ChunkId id = 0;
  DocumentId document = 0;
  uint32_t ordinal = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint32_t first_page = 0;  // index into the document's pages
  uint32_t last_page = 0;
  uint32_t token_count = 0;
  std::string heading_path;
  std::string context;
};

/// Everything of one document, written in one transaction. A skipped document has a record with a
/// reason and no text, chunks or vectors (so that it is not parsed again until its hash changes).
struct NewDocument {
  DocumentRecord record;  // id, chunk_count, page_count, text_bytes and indexed_at are filled in
  std::string text;
  std::vector<PageRecord> pages;
  std::vector<NoteRecord> notes;
  std::vector<ChunkRecord> chunks;  // id and document are filled in
  std::vector<float> vectors;       // [chunks.size(), dimension] unit rows
};

/// Restricts a search. Empty members do not restrict.
struct Filter {
  std::vector<std::string> path_globs;  // matched against the path and against its last component
  std::vector<DocumentId> documents;
  std::vector<std::string> collections;  // names
};

struct Hit {
  ChunkId chunk = 0;
  DocumentId document = 0;
  float score = 0;      // lexical: BM25 of chunk and document (higher is better); dense: cosine
  float own_score = 0;  // lexical: the chunk's share of it; dense: the same
};

struct Counts {
  uint64_t documents = 0;
  uint64_t skipped = 0;
  uint64_t pages = 0;
  uint64_t chunks = 0;
  uint64_t vectors = 0;
  uint64_t text_bytes = 0;
  uint64_t file_bytes = 0;  // database plus -wal
};

struct StoreOptions {
  bool read_only = false;
  bool create = true;  // false: kNotFound when there is no file
  uint32_t busy_timeout_ms = 5000;
  // false: commits are not flushed to disk, 10 times faster for many small documents; only for a
  // store that is thrown away (evaluation collections): a power loss may damage it
  bool durable = true;
};

/// What a store was built with. Checked by the caller before every search and every write.
struct Fingerprints {
  std::string embedder;
  std::string chunker;
  uint32_t dimension = 0;
};

struct VerifyReport {
  std::vector<std::string> problems;  // empty: every check passed
  uint64_t checked_chunks = 0;
  uint64_t checked_vectors = 0;
};

/// Thread-safe: one writer connection, a pool of readers. Errors: kCorruptData (damaged, not a
/// store, newer version), kUnavailable (locked: "locked by pid N"), kIo (disk full, permission),
/// kNotFound, kInvalidArgument.
class Store {
 public:
  virtual ~Store() = default;

  [[nodiscard]] static Result<std::unique_ptr<Store>> Open(const std::filesystem::path& path,
                                                           const StoreOptions& options);

  // --- Identity
  [[nodiscard]] virtual Result<std::optional<Fingerprints>> GetFingerprints() const = 0;
  /// Sets them on an empty store; kInvalidArgument when documents exist that were built otherwise.
  [[nodiscard]] virtual Result<void> SetFingerprints(const Fingerprints& fingerprints) = 0;

  // --- Documents
  /// Finds the collection by root, creates it if new ("name", "name-2", ... if the name is taken).
  [[nodiscard]] virtual Result<Collection> AddCollection(std::string_view root,
                                                         std::string_view name) = 0;
  [[nodiscard]] virtual Result<std::vector<Collection>> ListCollections() const = 0;
  /// Makes the documents of `inner` documents of `outer`, `prefix` before their paths, and forgets
  /// `inner`: a folder around it is indexed now. Nothing is embedded again. REQUIRES that no path
  /// meets one of `outer`.
  [[nodiscard]] virtual Result<void> MergeCollection(CollectionId inner, CollectionId outer,
                                                     std::string_view prefix) = 0;
  [[nodiscard]] virtual Result<std::vector<DocumentRecord>> ListDocuments(
      const Filter& filter = {}) const = 0;
  [[nodiscard]] virtual Result<DocumentRecord> GetDocument(DocumentId id) const = 0;
  /// The stored text, checked against its checksum (kCorruptData on a mismatch).
  [[nodiscard]] virtual Result<std::string> GetText(DocumentId id) const = 0;
  [[nodiscard]] virtual Result<std::vector<PageRecord>> GetPages(DocumentId id) const = 0;
  [[nodiscard]] virtual Result<std::vector<NoteRecord>> GetNotes(DocumentId id) const = 0;
  /// All chunks of a document in order.
  [[nodiscard]] virtual Result<std::vector<ChunkRecord>> GetChunks(DocumentId id) const = 0;
  [[nodiscard]] virtual Result<ChunkRecord> GetChunk(ChunkId id) const = 0;

  /// Writes or replaces (same collection and path) one document. Durable when it returns.
  [[nodiscard]] virtual Result<DocumentId> PutDocument(NewDocument document) = 0;
  /// A renamed file: same content, new path; nothing is embedded again. Replaces an existing
  /// record at the new path.
  [[nodiscard]] virtual Result<void> RenameDocument(DocumentId id, std::string_view new_path,
                                                    int64_t mtime_ns) = 0;
  /// Only the file's time changed.
  [[nodiscard]] virtual Result<void> TouchDocument(DocumentId id, int64_t mtime_ns) = 0;
  /// Removes text, postings, vectors and, if empty then, its collection.
  [[nodiscard]] virtual Result<void> DeleteDocument(DocumentId id) = 0;

  // --- Search
  /// BM25 (k1 1.2, b 0.75) over heading path and text. Any bytes are a valid query.
  [[nodiscard]] virtual Result<std::vector<Hit>> LexicalSearch(std::string_view query, size_t k,
                                                               const Filter& filter = {}) const = 0;
  /// In how many chunks each term occurs; terms are as Tokenize() makes them, 0 when unknown.
  [[nodiscard]] virtual Result<std::vector<uint64_t>> CountChunksWith(
      std::span<const std::string> terms) const = 0;
  /// Exact cosine top-k: int8 scan rescored with the f16 originals.
  /// kInvalidArgument if query.size() is not the store's dimension or it is not finite.
  [[nodiscard]] virtual Result<std::vector<Hit>> DenseSearch(std::span<const float> query, size_t k,
                                                             const Filter& filter = {}) const = 0;
  /// The stored vector of a chunk (f16 precision), for near-duplicate checks.
  [[nodiscard]] virtual Result<std::vector<float>> GetVector(ChunkId id) const = 0;

  // --- Care
  /// A number that grows with every change, whoever made it: equal numbers, equal answers.
  [[nodiscard]] virtual Result<int64_t> GetGeneration() const = 0;
  [[nodiscard]] virtual Result<Counts> GetCounts() const = 0;
  [[nodiscard]] virtual Result<VerifyReport> Verify() const = 0;
  /// Online copy, consistent, while readers and the writer go on.
  [[nodiscard]] virtual Result<void> Backup(const std::filesystem::path& destination) const = 0;
  /// Checkpoints the WAL and merges the full-text index; called at the end of a run.
  [[nodiscard]] virtual Result<void> Optimize() = 0;
};

}  // namespace vade::vectorstore
