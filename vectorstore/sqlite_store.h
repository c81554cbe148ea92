// SqliteStore: the Store in one SQLite file. Where things are: store_open.cc opens and closes,
// sqlite_store.cc reads, store_write.cc writes, store_search.cc searches, store_verify.cc and
// store_backup.cc care for it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "vectorstore/connection.h"
#include "vectorstore/posting_cache.h"
#include "vectorstore/scan_index.h"
#include "vectorstore/store.h"
#include "vectorstore/store_lock.h"

namespace vade::vectorstore {

class SqliteStore final : public Store {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Store>> Open(const std::filesystem::path& path,
                                                           const StoreOptions& options);
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;
  ~SqliteStore() override;

  Result<std::optional<Fingerprints>> GetFingerprints() const override;
  Result<void> SetFingerprints(const Fingerprints& fingerprints) override;

  Result<Collection> AddCollection(std::string_view root, std::string_view name) override;
  Result<std::vector<Collection>> ListCollections() const override;
  Result<std::vector<DocumentRecord>> ListDocuments(const Filter& filter) const override;
  Result<DocumentRecord> GetDocument(DocumentId id) const override;
  Result<std::string> GetText(DocumentId id) const override;
  Result<std::vector<PageRecord>> GetPages(DocumentId id) const override;
  Result<std::vector<NoteRecord>> GetNotes(DocumentId id) const override;
  Result<std::vector<ChunkRecord>> GetChunks(DocumentId id) const override;
  Result<ChunkRecord> GetChunk(ChunkId id) const override;

  Result<DocumentId> PutDocument(NewDocument document) override;
  Result<void> RenameDocument(DocumentId id, std::string_view new_path, int64_t mtime_ns) override;
  Result<void> MergeCollection(CollectionId inner, CollectionId outer,
                               std::string_view prefix) override;
  Result<void> TouchDocument(DocumentId id, int64_t mtime_ns) override;
  Result<void> DeleteDocument(DocumentId id) override;

  Result<std::vector<Hit>> LexicalSearch(std::string_view query, size_t k,
                                         const Filter& filter) const override;
  Result<std::vector<uint64_t>> CountChunksWith(std::span<const std::string> terms) const override;
  Result<std::vector<Hit>> DenseSearch(std::span<const float> query, size_t k,
                                       const Filter& filter) const override;
  Result<std::vector<float>> GetVector(ChunkId id) const override;

  Result<int64_t> GetGeneration() const override;
  Result<Counts> GetCounts() const override;
  Result<VerifyReport> Verify() const override;
  Result<void> Backup(const std::filesystem::path& destination) const override;
  Result<void> Optimize() override;

 private:
  /// A reader taken from the pool; goes back when destroyed.
  class Reader {
   public:
    Reader(const SqliteStore* store, Connection connection)
        : store_(store), connection_(std::move(connection)) {}
    Reader(Reader&&) = default;
    Reader& operator=(Reader&&) = delete;
    ~Reader();
    [[nodiscard]] const Database& database() const noexcept { return connection_.database; }

   private:
    const SqliteStore* store_;
    Connection connection_;
  };

  /// The f16 rows of one vector_block.
  struct Originals {
    ChunkId first_chunk = 0;
    uint32_t dimension = 0;
    std::vector<uint16_t> rows;  // [num_rows, dimension] f16
  };

  SqliteStore(std::filesystem::path path, const StoreOptions& options)
      : path_(std::move(path)), options_(options) {}

  // --- store_open.cc
  Result<void> OpenForReading();
  Result<void> OpenForWriting();
  Result<void> PrepareWriter();
  Result<void> ConfigureWriter();
  void DropWriter();
  Result<void> ReconnectWriter();
  Result<void> UpdateOlderVersion(uint32_t version);

  // --- sqlite_store.cc
  Result<Reader> TakeReader() const;
  static Result<std::optional<Fingerprints>> ReadFingerprints(const Database& database);

  // --- store_write.cc
  /// Runs `body` in a write transaction and makes it durable.
  Result<void> Write(const std::function<Result<void>(const Database&)>& body);
  Result<void> RemoveDocumentRows(const Database& database, DocumentId id);
  Result<void> RemoveChunks(const Database& database, DocumentId id, const std::string& title);
  /// Fills in the chunks' ids.
  Result<void> InsertChunks(const Database& database, DocumentId id, NewDocument& document);
  static Result<void> InsertVectors(const Database& database, ChunkId first_chunk,
                                    const NewDocument& document, uint32_t dimension);

  // --- store_search.cc
  /// Runs `body` on an index that is in step with the read transaction of the database it gets.
  using SearchBody = std::function<Result<void>(const Database&)>;
  Result<void> WithIndex(bool needs_codes, const SearchBody& body) const;
  Result<std::vector<bool>> AllowedDocuments(const Database& database, const Filter& filter) const;
  Result<std::shared_ptr<const Originals>> LoadOriginals(const Database& database,
                                                         ChunkId chunk) const;

  const std::filesystem::path path_;
  const StoreOptions options_;

  mutable std::mutex readers_mutex_;
  mutable std::vector<Connection> idle_readers_;  // guarded by readers_mutex_

  std::mutex writer_mutex_;
  Connection writer_;            // guarded by writer_mutex_; empty after a failed write
  StoreLock lock_;               // guarded by writer_mutex_
  StoreState durable_;           // guarded by writer_mutex_
  std::optional<Error> broken_;  // guarded by writer_mutex_; set: writing has stopped for good

  // Searches share index_mutex_; bringing the index in step takes it alone.
  mutable std::shared_mutex index_mutex_;
  mutable ScanIndex index_;
  mutable uint32_t dimension_ = 0;
  mutable PostingCache postings_;
  mutable std::mutex originals_mutex_;
  mutable std::map<ChunkId, std::shared_ptr<const Originals>> originals_;  // by first chunk
  mutable size_t originals_bytes_ = 0;
};

/// True if `record` in `collection` passes the filter.
[[nodiscard]] bool PassesFilter(const Filter& filter, DocumentId id, std::string_view path,
                                std::string_view collection);

/// What FTS5 indexes for a chunk; the view chunk_text must yield the same.
struct IndexedText {
  std::string heading;
  std::string body;
};
[[nodiscard]] IndexedText MakeIndexedText(std::string_view title, const ChunkRecord& chunk,
                                          std::string_view text);
[[nodiscard]] uint64_t ChunkChecksum(const ChunkRecord& chunk, std::string_view text);

/// Reads all columns of a chunk row selected with kChunkColumns.
inline constexpr std::string_view kChunkColumns =
    "id, document, ordinal, begin, \"end\", first_page, last_page, token_count, heading_path, "
    "context, checksum";
[[nodiscard]] ChunkRecord ChunkFromRow(const Statement& row);

[[nodiscard]] tl::unexpected<Error> NotFound(std::string_view what, int64_t id);

}  // namespace vade::vectorstore
