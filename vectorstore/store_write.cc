// The writing side of SqliteStore: one transaction per document.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "engine/base/hash.h"
#include "engine/base/utf8.h"
#include "vectorstore/schema.h"
#include "vectorstore/sqlite_store.h"
#include "vectorstore/text_codec.h"
#include "vectorstore/vector_codec.h"

namespace vade::vectorstore {
namespace {

tl::unexpected<Error> Invalid(const NewDocument& document, const std::string& what) {
  return Fail(ErrorCode::kInvalidArgument, utf8::Escape(document.record.path) + ": " + what);
}

Result<void> CheckSpans(const NewDocument& document) {
  const uint64_t size = document.text.size();
  for (const PageRecord& page : document.pages) {
    if (page.begin > page.end || page.end > size) return Invalid(document, "page outside its text");
  }
  for (size_t i = 0; i < document.chunks.size(); ++i) {
    const ChunkRecord& chunk = document.chunks[i];
    if (chunk.begin >= chunk.end || chunk.end > size) {
      return Invalid(document, "chunk " + std::to_string(i) + " outside its text or empty");
    }
  }
  return {};
}

Result<void> CheckVectors(const NewDocument& document, uint32_t dimension) {
  const size_t expected = document.chunks.size() * dimension;
  if (document.vectors.size() != expected) {
    return Invalid(document, "vectors: got " + std::to_string(document.vectors.size()) +
                                 " numbers, expected " + std::to_string(expected) + " (" +
                                 std::to_string(document.chunks.size()) + " chunks of dimension " +
                                 std::to_string(dimension) + ")");
  }
  for (size_t row = 0; dimension > 0 && row < document.chunks.size(); ++row) {
    if (!IsUnitVector(std::span(document.vectors).subspan(row * dimension, dimension))) {
      return Invalid(
          document, "vector of chunk " + std::to_string(row) + " is not finite or not of length 1");
    }
  }
  return {};
}

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<void> SetMeta(const Database& database, std::string_view key, const auto& value) {
  VADE_TRY(Statement set,
           database.Prepare("INSERT INTO meta(key, value) VALUES(?1, ?2) "
                            "ON CONFLICT(key) DO UPDATE SET value = excluded.value"));
  return set.Bind(key, value).Run();
}

Result<DocumentId> InsertRecord(const Database& database, const NewDocument& document) {
  const DocumentRecord& record = document.record;
  VADE_TRY(Statement insert,
           database.Prepare("INSERT INTO document(collection, path, content_hash, size, mtime_ns,"
                            " type, title, language, page_count, chunk_count, text_bytes, status,"
                            " reason, indexed_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                            " ?11, ?12, ?13, ?14)"));
  insert.Bind(record.collection, AsBlob(record.path), record.content_hash, record.size,
              record.mtime_ns, std::string_view(record.type), std::string_view(record.title),
              std::string_view(record.language), uint64_t{document.pages.size()},
              uint64_t{document.chunks.size()}, uint64_t{document.text.size()},
              static_cast<int64_t>(record.status), std::string_view(record.reason), Now());
  VADE_CHECK_OK(insert.Run());
  return sqlite3_last_insert_rowid(database.handle());
}

Result<void> InsertText(const Database& database, DocumentId id, const NewDocument& document) {
  if (document.record.status != DocumentStatus::kIndexed) return {};
  VADE_TRY(const std::string frame, CompressText(document.text));
  VADE_TRY(Statement insert, database.Prepare("INSERT INTO text(document, size, checksum, data)"
                                              " VALUES(?1, ?2, ?3, ?4)"));
  return insert.Bind(id, uint64_t{document.text.size()}, Hash64(document.text), AsBlob(frame))
      .Run();
}

Result<void> InsertPagesAndNotes(const Database& database, DocumentId id,
                                 const NewDocument& document) {
  VADE_TRY(Statement insert_page,
           database.Prepare("INSERT INTO page(document, ordinal, number, label, begin, \"end\","
                            " has_text) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  int64_t ordinal = 0;
  for (const PageRecord& page : document.pages) {
    insert_page.Bind(id, ordinal++, page.number, std::string_view(page.label), page.begin, page.end,
                     int64_t{page.has_text});
    VADE_CHECK_OK(insert_page.Run());
  }
  VADE_TRY(Statement insert_note, database.Prepare("INSERT INTO note(document, ordinal, page, text)"
                                                   " VALUES(?1, ?2, ?3, ?4)"));
  ordinal = 0;
  for (const NoteRecord& note : document.notes) {
    insert_note.Bind(id, ordinal++, note.page, std::string_view(note.text));
    VADE_CHECK_OK(insert_note.Run());
  }
  return {};
}

Result<std::optional<DocumentId>> FindDocument(const Database& database, CollectionId collection,
                                               std::string_view path) {
  VADE_TRY(Statement find,
           database.Prepare("SELECT id FROM document WHERE collection = ?1 AND path = ?2"));
  VADE_TRY(const bool row, find.Bind(collection, AsBlob(path)).Step());
  if (!row) return std::nullopt;
  return find.Int(0);
}

}  // namespace

// --- Transactions
// ---------------------------------------------------------------------------------

Result<void> SqliteStore::Write(const std::function<Result<void>(const Database&)>& body) {
  const std::lock_guard lock(writer_mutex_);
  if (options_.read_only) {
    return Fail(ErrorCode::kInvalidArgument, utf8::Escape(path_.native()) + ": opened read-only");
  }
  if (broken_) return tl::unexpected(*broken_);
  if (!writer_.database) VADE_CHECK_OK(ReconnectWriter());
  const Database& database = writer_.database;
  const auto run = [&]() -> Result<void> {
    VADE_TRY(Transaction transaction, Transaction::Begin(database, Transaction::Kind::kWrite));
    VADE_CHECK_OK(database.Execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'"));
    VADE_CHECK_OK(body(database));
    return transaction.Commit();
  };
  auto result = run();
  if (result) {
    ++durable_.generation;
    lock_.Record(durable_.store_id, durable_.generation, false);
    return result;
  }
  const int cause = sqlite3_errcode(database.handle()) & 0xff;
  if (cause == SQLITE_OK || cause == SQLITE_DONE || cause == SQLITE_ROW) return result;
  // FTS5 may keep postings of a transaction that failed for want of memory, and would write them
  // with the next one: a new connection, made by the next write, knows only what is in the file.
  DropWriter();
  if (cause == SQLITE_IOERR) {
    // After a failed flush nobody knows what is on the disk: no retry, no further write.
    broken_ = Error{ErrorCode::kIo, result.error().message +
                                        "; writing has stopped: open the store again to check it"};
  }
  return result;
}

// --- Identity -----------------------------------------------------------------------------------

Result<void> SqliteStore::SetFingerprints(const Fingerprints& fingerprints) {
  return Write([&](const Database& database) -> Result<void> {
    VADE_TRY(const auto current, ReadFingerprints(database));
    const bool same = current && current->embedder == fingerprints.embedder &&
                      current->chunker == fingerprints.chunker &&
                      current->dimension == fingerprints.dimension;
    VADE_TRY(const int64_t chunks, database.QueryInt("SELECT count(*) FROM (SELECT 1 FROM chunk "
                                                     "LIMIT 1)"));
    if (!same && chunks > 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  database.name() + ": built with " +
                      (current ? current->embedder + ", " + current->chunker : "nothing known") +
                      ", now " + fingerprints.embedder + ", " + fingerprints.chunker +
                      ": index again into a new store");
    }
    VADE_CHECK_OK(SetMeta(database, "embedder", std::string_view(fingerprints.embedder)));
    VADE_CHECK_OK(SetMeta(database, "chunker", std::string_view(fingerprints.chunker)));
    return SetMeta(database, "dimension", fingerprints.dimension);
  });
}

Result<Collection> SqliteStore::AddCollection(std::string_view root, std::string_view name) {
  Collection collection;
  const auto written = Write([&](const Database& database) -> Result<void> {
    VADE_TRY(Statement find, database.Prepare("SELECT id, name FROM collection WHERE root = ?1"));
    VADE_TRY(const bool known, find.Bind(AsBlob(root)).Step());
    if (known) {
      collection = {find.Int(0), find.Text(1), std::string(root)};
      return {};
    }
    const std::string base = name.empty() ? "documents" : utf8::Repair(name);
    VADE_TRY(Statement taken, database.Prepare("SELECT 1 FROM collection WHERE name = ?1"));
    std::string candidate = base;
    for (int suffix = 2;; ++suffix) {
      VADE_TRY(const bool is_taken, taken.Bind(std::string_view(candidate)).Step());
      taken.Reset();
      if (!is_taken) break;
      candidate = base + "-" + std::to_string(suffix);
    }
    VADE_TRY(Statement insert,
             database.Prepare("INSERT INTO collection(name, root) VALUES(?1, ?2)"));
    VADE_CHECK_OK(insert.Bind(std::string_view(candidate), AsBlob(root)).Run());
    collection = {sqlite3_last_insert_rowid(database.handle()), candidate, std::string(root)};
    return {};
  });
  VADE_CHECK_OK(written);
  return collection;
}

// --- Documents ----------------------------------------------------------------------------------

Result<DocumentId> SqliteStore::PutDocument(NewDocument document) {
  if (document.record.status == DocumentStatus::kSkipped) {
    document.text.clear();
    document.pages.clear();
    document.chunks.clear();
    document.vectors.clear();
  }
  VADE_CHECK_OK(CheckSpans(document));
  for (size_t i = 0; i < document.chunks.size(); ++i) {
    document.chunks[i].ordinal = static_cast<uint32_t>(i);
  }
  DocumentId id = 0;
  const auto written = Write([&](const Database& database) -> Result<void> {
    VADE_TRY(const auto fingerprints, ReadFingerprints(database));
    const uint32_t dimension = fingerprints ? fingerprints->dimension : 0;
    VADE_CHECK_OK(CheckVectors(document, dimension));
    VADE_TRY(const std::optional<DocumentId> old,
             FindDocument(database, document.record.collection, document.record.path));
    if (old) VADE_CHECK_OK(RemoveDocumentRows(database, *old));
    VADE_TRY(id, InsertRecord(database, document));
    VADE_CHECK_OK(InsertText(database, id, document));
    VADE_CHECK_OK(InsertPagesAndNotes(database, id, document));
    if (document.chunks.empty()) return {};
    VADE_CHECK_OK(InsertChunks(database, id, document));
    const ChunkId last_chunk = document.chunks.back().id;
    return InsertVectors(database, last_chunk + 1 - static_cast<ChunkId>(document.chunks.size()),
                         document, dimension);
  });
  VADE_CHECK_OK(written);
  return id;
}

Result<void> SqliteStore::InsertChunks(const Database& database, DocumentId id,
                                       NewDocument& document) {
  VADE_TRY(const int64_t last, database.QueryInt("SELECT max(coalesce((SELECT seq FROM "
                                                 "sqlite_sequence WHERE name = 'chunk'), 0), "
                                                 "coalesce((SELECT max(id) FROM chunk), 0))"));
  VADE_TRY(Statement insert_text,
           database.Prepare("INSERT INTO fts(rowid, heading, body) VALUES(?1, ?2, ?3)"));
  VADE_TRY(Statement insert_chunk,
           database.Prepare("INSERT INTO chunk(id, document, ordinal, begin, \"end\", first_page,"
                            " last_page, token_count, terms, heading_path, context, checksum)"
                            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"));
  ChunkId chunk_id = last;
  for (ChunkRecord& chunk : document.chunks) {
    chunk.id = ++chunk_id;
    const IndexedText indexed = MakeIndexedText(document.record.title, chunk, document.text);
    writer_.counter->positions = 0;
    insert_text.Bind(chunk.id, std::string_view(indexed.heading), std::string_view(indexed.body));
    VADE_CHECK_OK(insert_text.Run());
    insert_chunk.Bind(chunk.id, id, chunk.ordinal, chunk.begin, chunk.end, chunk.first_page,
                      chunk.last_page, chunk.token_count, writer_.counter->positions,
                      std::string_view(chunk.heading_path), std::string_view(chunk.context),
                      ChunkChecksum(chunk, document.text));
    VADE_CHECK_OK(insert_chunk.Run());
  }
  return {};
}

Result<void> SqliteStore::InsertVectors(const Database& database, ChunkId first_chunk,
                                        const NewDocument& document, uint32_t dimension) {
  if (dimension == 0) return {};
  VADE_TRY(Statement insert,
           database.Prepare("INSERT INTO vector_block(first_chunk, rows, scales, codes,"
                            " code_checksum, original_checksum, originals)"
                            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  const size_t num_rows = document.chunks.size();
  for (size_t first = 0; first < num_rows; first += kMaxBlockRows) {
    const size_t rows = std::min<size_t>(kMaxBlockRows, num_rows - first);
    std::vector<float> scales(rows);
    std::vector<int8_t> codes(rows * dimension);
    std::vector<uint16_t> originals(rows * dimension);
    for (size_t row = 0; row < rows; ++row) {
      const auto vector = std::span(document.vectors).subspan((first + row) * dimension, dimension);
      scales[row] = QuantizeInt8(vector, std::span(codes).subspan(row * dimension, dimension));
      std::transform(vector.begin(), vector.end(),
                     originals.begin() + static_cast<ptrdiff_t>(row * dimension), F16FromF32);
    }
    const auto scale_bytes = std::as_bytes(std::span(scales));
    const auto code_bytes = std::as_bytes(std::span(codes));
    const auto original_bytes = std::as_bytes(std::span(originals));
    insert.Bind(first_chunk + static_cast<ChunkId>(first), uint64_t{rows}, scale_bytes, code_bytes,
                Hash64(code_bytes) ^ Hash64(scale_bytes), Hash64(original_bytes), original_bytes);
    VADE_CHECK_OK(insert.Run());
  }
  return {};
}

Result<void> SqliteStore::RemoveDocumentRows(const Database& database, DocumentId id) {
  VADE_TRY(Statement record,
           database.Prepare("SELECT title, chunk_count FROM document WHERE id = ?1"));
  VADE_TRY(const bool exists, record.Bind(id).Step());
  if (!exists) return NotFound("document", id);
  const std::string title = record.Text(0);
  const bool has_chunks = record.Int(1) > 0;
  if (has_chunks) VADE_CHECK_OK(RemoveChunks(database, id, title));
  for (const char* sql :
       {"DELETE FROM page WHERE document = ?1", "DELETE FROM note WHERE document = ?1",
        "DELETE FROM text WHERE document = ?1", "DELETE FROM document WHERE id = ?1"}) {
    VADE_TRY(Statement remove, database.Prepare(sql));
    VADE_CHECK_OK(remove.Bind(id).Run());
  }
  return {};
}

// FTS5 keeps no copy of the text: to remove postings it must be told what was indexed.
Result<void> SqliteStore::RemoveChunks(const Database& database, DocumentId id,
                                       const std::string& title) {
  VADE_TRY(Statement text_row,
           database.Prepare("SELECT data, size, checksum FROM text WHERE document = ?1"));
  VADE_TRY(const bool has_text, text_row.Bind(id).Step());
  if (!has_text)
    return Fail(ErrorCode::kCorruptData, "document " + std::to_string(id) + ": no text");
  VADE_TRY(const std::string text,
           DecompressText(text_row.Bytes(0), text_row.Unsigned(1), text_row.Unsigned(2)));
  text_row.Reset();
  VADE_TRY(Statement chunks, database.Prepare("SELECT " + std::string(kChunkColumns) +
                                              " FROM chunk WHERE document = ?1 ORDER BY ordinal"));
  VADE_TRY(Statement forget, database.Prepare("INSERT INTO fts(fts, rowid, heading, body)"
                                              " VALUES('delete', ?1, ?2, ?3)"));
  VADE_TRY(Statement remove_block,
           database.Prepare("DELETE FROM vector_block WHERE first_chunk = ?1"));
  chunks.Bind(id);
  while (true) {
    VADE_TRY(const bool row, chunks.Step());
    if (!row) break;
    const ChunkRecord chunk = ChunkFromRow(chunks);
    if (chunk.begin > chunk.end || chunk.end > text.size()) {
      return Fail(ErrorCode::kCorruptData,
                  "chunk " + std::to_string(chunk.id) + ": outside its text");
    }
    const IndexedText indexed = MakeIndexedText(title, chunk, text);
    forget.Bind(chunk.id, std::string_view(indexed.heading), std::string_view(indexed.body));
    VADE_CHECK_OK(forget.Run());
    VADE_CHECK_OK(remove_block.Bind(chunk.id).Run());
  }
  VADE_TRY(Statement remove, database.Prepare("DELETE FROM chunk WHERE document = ?1"));
  VADE_CHECK_OK(remove.Bind(id).Run());
  return SetMeta(database, "unmerged_deletes", int64_t{1});
}

Result<void> SqliteStore::RenameDocument(DocumentId id, std::string_view new_path,
                                         int64_t mtime_ns) {
  return Write([&](const Database& database) -> Result<void> {
    VADE_TRY(Statement find, database.Prepare("SELECT collection FROM document WHERE id = ?1"));
    VADE_TRY(const bool exists, find.Bind(id).Step());
    if (!exists) return NotFound("document", id);
    const CollectionId collection = find.Int(0);
    find.Reset();
    VADE_TRY(const auto other, FindDocument(database, collection, new_path));
    if (other && *other != id) VADE_CHECK_OK(RemoveDocumentRows(database, *other));
    VADE_TRY(Statement update, database.Prepare("UPDATE document SET path = ?2, mtime_ns = ?3 "
                                                "WHERE id = ?1"));
    return update.Bind(id, AsBlob(new_path), mtime_ns).Run();
  });
}

Result<void> SqliteStore::MergeCollection(CollectionId inner, CollectionId outer,
                                          std::string_view prefix) {
  return Write([&](const Database& database) -> Result<void> {
    // Paths are blobs, and || makes text.
    VADE_TRY(Statement move,
             database.Prepare("UPDATE document SET collection = ?2, "
                              "path = CAST(?3 || path AS BLOB) WHERE collection = ?1"));
    VADE_CHECK_OK(move.Bind(inner, outer, AsBlob(prefix)).Run());
    VADE_TRY(Statement remove, database.Prepare("DELETE FROM collection WHERE id = ?1"));
    return remove.Bind(inner).Run();
  });
}

Result<void> SqliteStore::TouchDocument(DocumentId id, int64_t mtime_ns) {
  return Write([&](const Database& database) -> Result<void> {
    VADE_TRY(Statement update, database.Prepare("UPDATE document SET mtime_ns = ?2 WHERE id = ?1"));
    VADE_CHECK_OK(update.Bind(id, mtime_ns).Run());
    if (sqlite3_changes(database.handle()) == 0) return NotFound("document", id);
    return {};
  });
}

Result<void> SqliteStore::DeleteDocument(DocumentId id) {
  return Write([&](const Database& database) -> Result<void> {
    VADE_TRY(Statement find, database.Prepare("SELECT collection FROM document WHERE id = ?1"));
    VADE_TRY(const bool exists, find.Bind(id).Step());
    if (!exists) return NotFound("document", id);
    const CollectionId collection = find.Int(0);
    find.Reset();
    VADE_CHECK_OK(RemoveDocumentRows(database, id));
    VADE_TRY(Statement remove,
             database.Prepare("DELETE FROM collection WHERE id = ?1 AND NOT EXISTS "
                              "(SELECT 1 FROM document WHERE collection = ?1)"));
    return remove.Bind(collection).Run();
  });
}

Result<void> SqliteStore::Optimize() {
  const auto written = Write([](const Database& database) -> Result<void> {
    VADE_TRY(const int64_t deletes,
             database.QueryInt("SELECT value FROM meta WHERE key = 'unmerged_deletes'"));
    // A deleted posting is only marked in FTS5 until its segment is merged: merge all, so that
    // nothing of a deleted document stays. Otherwise a bounded merge keeps queries fast.
    VADE_CHECK_OK(database.Execute(deletes > 0
                                       ? "INSERT INTO fts(fts) VALUES('optimize')"
                                       : "INSERT INTO fts(fts, rank) VALUES('merge', 2000)"));
    return SetMeta(database, "unmerged_deletes", int64_t{0});
  });
  VADE_CHECK_OK(written);
  const std::lock_guard lock(writer_mutex_);
  if (!writer_.database) return {};  // another thread's write has failed since
  const int code = sqlite3_wal_checkpoint_v2(writer_.database.handle(), nullptr,
                                             SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  // Busy: a reader still needs the -wal; the next checkpoint gets it.
  if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) return {};
  return tl::unexpected(SqliteError(utf8::Escape(path_.native()), "checkpoint", code));
}

}  // namespace vade::vectorstore
