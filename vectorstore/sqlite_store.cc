// The reading side of SqliteStore.
#include "vectorstore/sqlite_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "engine/base/hash.h"
#include "vectorstore/glob.h"
#include "vectorstore/text_codec.h"

namespace vade::vectorstore {
namespace {

constexpr size_t kMaxIdleReaders = 64;  // as many as threads that search at once

constexpr std::string_view kDocumentColumns =
    "d.id, d.collection, d.path, d.content_hash, d.size, d.mtime_ns, d.type, d.title, d.language, "
    "d.page_count, d.chunk_count, d.text_bytes, d.status, d.reason, d.indexed_at";

DocumentRecord DocumentFromRow(const Statement& row) {
  DocumentRecord record;
  record.id = row.Int(0);
  record.collection = row.Int(1);
  record.path = row.Text(2);
  record.content_hash = row.Unsigned(3);
  record.size = row.Unsigned(4);
  record.mtime_ns = row.Int(5);
  record.type = row.Text(6);
  record.title = row.Text(7);
  record.language = row.Text(8);
  record.page_count = row.Unsigned32(9);
  record.chunk_count = row.Unsigned32(10);
  record.text_bytes = row.Unsigned(11);
  record.status = row.Int(12) == 0 ? DocumentStatus::kIndexed : DocumentStatus::kSkipped;
  record.reason = row.Text(13);
  record.indexed_at = row.Int(14);
  return record;
}

uint64_t FileBytes(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

}  // namespace

tl::unexpected<Error> NotFound(std::string_view what, int64_t id) {
  return Fail(ErrorCode::kNotFound, "no " + std::string(what) + " " + std::to_string(id));
}

bool PassesFilter(const Filter& filter, DocumentId id, std::string_view path,
                  std::string_view collection) {
  const auto contains = [](const auto& list, const auto& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  const auto matches = [&](const std::string& glob) { return PathMatches(glob, path); };
  return contains(filter.documents, id) && contains(filter.collections, collection) &&
         (filter.path_globs.empty() ||
          std::any_of(filter.path_globs.begin(), filter.path_globs.end(), matches));
}

IndexedText MakeIndexedText(std::string_view title, const ChunkRecord& chunk,
                            std::string_view text) {
  IndexedText indexed;
  if (chunk.ordinal == 0) indexed.heading = title;
  indexed.heading += '\n';
  indexed.heading += chunk.heading_path;
  indexed.body = chunk.context;
  indexed.body += '\n';
  indexed.body += text.substr(chunk.begin, chunk.end - chunk.begin);
  return indexed;
}

uint64_t ChunkChecksum(const ChunkRecord& chunk, std::string_view text) {
  std::string bytes = chunk.heading_path;
  bytes.push_back('\0');
  bytes += chunk.context;
  bytes.push_back('\0');
  bytes += text.substr(chunk.begin, chunk.end - chunk.begin);
  return Hash64(bytes);
}

ChunkRecord ChunkFromRow(const Statement& row) {
  ChunkRecord chunk;
  chunk.id = row.Int(0);
  chunk.document = row.Int(1);
  chunk.ordinal = row.Unsigned32(2);
  chunk.begin = row.Unsigned(3);
  chunk.end = row.Unsigned(4);
  chunk.first_page = row.Unsigned32(5);
  chunk.last_page = row.Unsigned32(6);
  chunk.token_count = row.Unsigned32(7);
  chunk.heading_path = row.Text(8);
  chunk.context = row.Text(9);
  return chunk;
}

// --- Readers ------------------------------------------------------------------------------------

Result<SqliteStore::Reader> SqliteStore::TakeReader() const {
  {
    const std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      Connection connection = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return Reader(this, std::move(connection));
    }
  }
  VADE_TRY(Connection connection, OpenReader(path_, options_));
  return Reader(this, std::move(connection));
}

SqliteStore::Reader::~Reader() {
  if (!connection_.database) return;  // moved from
  const std::lock_guard lock(store_->readers_mutex_);
  if (store_->idle_readers_.size() < kMaxIdleReaders) {
    store_->idle_readers_.push_back(std::move(connection_));
  }
}

// --- Identity -----------------------------------------------------------------------------------

Result<std::optional<Fingerprints>> SqliteStore::ReadFingerprints(const Database& database) {
  VADE_TRY(Statement meta, database.Prepare("SELECT key, value FROM meta WHERE key IN "
                                            "('embedder', 'chunker', 'dimension')"));
  Fingerprints fingerprints;
  size_t found = 0;
  while (true) {
    VADE_TRY(const bool row, meta.Step());
    if (!row) break;
    ++found;
    const std::string_view key = meta.Bytes(0);
    if (key == "embedder") {
      fingerprints.embedder = meta.Text(1);
    } else if (key == "chunker") {
      fingerprints.chunker = meta.Text(1);
    } else {
      fingerprints.dimension = meta.Unsigned32(1);
    }
  }
  if (found == 0) return std::nullopt;
  return fingerprints;
}

Result<std::optional<Fingerprints>> SqliteStore::GetFingerprints() const {
  VADE_TRY(const Reader reader, TakeReader());
  return ReadFingerprints(reader.database());
}

Result<int64_t> SqliteStore::GetGeneration() const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(const StoreState state, ReadState(reader.database()));
  return state.generation;
}

// --- Documents ----------------------------------------------------------------------------------

Result<std::vector<Collection>> SqliteStore::ListCollections() const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows,
           reader.database().Prepare("SELECT id, name, root FROM collection ORDER BY id"));
  std::vector<Collection> collections;
  while (true) {
    VADE_TRY(const bool row, rows.Step());
    if (!row) return collections;
    collections.push_back({rows.Int(0), rows.Text(1), rows.Text(2)});
  }
}

Result<std::vector<DocumentRecord>> SqliteStore::ListDocuments(const Filter& filter) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows,
           reader.database().Prepare("SELECT " + std::string(kDocumentColumns) +
                                     ", c.name FROM document d JOIN collection c ON "
                                     "c.id = d.collection ORDER BY d.collection, d.path"));
  std::vector<DocumentRecord> documents;
  while (true) {
    VADE_TRY(const bool row, rows.Step());
    if (!row) return documents;
    if (PassesFilter(filter, rows.Int(0), rows.Bytes(2), rows.Bytes(15))) {
      documents.push_back(DocumentFromRow(rows));
    }
  }
}

Result<DocumentRecord> SqliteStore::GetDocument(DocumentId id) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows, reader.database().Prepare("SELECT " + std::string(kDocumentColumns) +
                                                     " FROM document d WHERE d.id = ?1"));
  VADE_TRY(const bool row, rows.Bind(id).Step());
  if (!row) return NotFound("document", id);
  return DocumentFromRow(rows);
}

Result<std::string> SqliteStore::GetText(DocumentId id) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows,
           reader.database().Prepare("SELECT data, size, checksum FROM text WHERE document = ?1"));
  VADE_TRY(const bool row, rows.Bind(id).Step());
  if (!row) return NotFound("text of document", id);
  auto text = DecompressText(rows.Bytes(0), rows.Unsigned(1), rows.Unsigned(2));
  if (!text) return Fail("document " + std::to_string(id), std::move(text).error());
  return text;
}

Result<std::vector<PageRecord>> SqliteStore::GetPages(DocumentId id) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows,
           reader.database().Prepare("SELECT number, label, begin, \"end\", has_text FROM page "
                                     "WHERE document = ?1 ORDER BY ordinal"));
  rows.Bind(id);
  std::vector<PageRecord> pages;
  while (true) {
    VADE_TRY(const bool row, rows.Step());
    if (!row) return pages;
    pages.push_back(
        {rows.Unsigned32(0), rows.Text(1), rows.Unsigned(2), rows.Unsigned(3), rows.Int(4) != 0});
  }
}

Result<std::vector<NoteRecord>> SqliteStore::GetNotes(DocumentId id) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows, reader.database().Prepare(
                               "SELECT page, text FROM note WHERE document = ?1 ORDER BY ordinal"));
  rows.Bind(id);
  std::vector<NoteRecord> notes;
  while (true) {
    VADE_TRY(const bool row, rows.Step());
    if (!row) return notes;
    notes.push_back({rows.Unsigned32(0), rows.Text(1)});
  }
}

Result<std::vector<ChunkRecord>> SqliteStore::GetChunks(DocumentId id) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows,
           reader.database().Prepare("SELECT " + std::string(kChunkColumns) +
                                     " FROM chunk WHERE document = ?1 ORDER BY ordinal"));
  rows.Bind(id);
  std::vector<ChunkRecord> chunks;
  while (true) {
    VADE_TRY(const bool row, rows.Step());
    if (!row) return chunks;
    chunks.push_back(ChunkFromRow(rows));
  }
}

Result<ChunkRecord> SqliteStore::GetChunk(ChunkId id) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows, reader.database().Prepare("SELECT " + std::string(kChunkColumns) +
                                                     " FROM chunk WHERE id = ?1"));
  VADE_TRY(const bool row, rows.Bind(id).Step());
  if (!row) return NotFound("chunk", id);
  return ChunkFromRow(rows);
}

Result<Counts> SqliteStore::GetCounts() const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(Statement rows,
           reader.database().Prepare("SELECT (SELECT count(*) FROM document WHERE status = 0),"
                                     " (SELECT count(*) FROM document WHERE status <> 0),"
                                     " (SELECT count(*) FROM page), (SELECT count(*) FROM chunk),"
                                     " (SELECT coalesce(sum(rows), 0) FROM vector_block),"
                                     " (SELECT coalesce(sum(text_bytes), 0) FROM document)"));
  VADE_TRY(const bool row, rows.Step());
  Counts counts;
  if (!row) return counts;
  counts.documents = rows.Unsigned(0);
  counts.skipped = rows.Unsigned(1);
  counts.pages = rows.Unsigned(2);
  counts.chunks = rows.Unsigned(3);
  counts.vectors = rows.Unsigned(4);
  counts.text_bytes = rows.Unsigned(5);
  counts.file_bytes = FileBytes(path_.native()) + FileBytes(path_.native() + "-wal");
  return counts;
}

}  // namespace vade::vectorstore
