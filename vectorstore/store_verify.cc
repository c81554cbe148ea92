// Verify(): every check a store can be put to. SQLite's own check sees pages and indexes; FTS5 must
// be asked for its comparison with the texts (rank = 1); what is inside our blobs only our own
// checksums know.
#include <cstring>
#include <string>

#include "engine/base/hash.h"
#include "engine/base/utf8.h"
#include "engine/kernels/vector_scan.h"
#include "vectorstore/schema.h"
#include "vectorstore/sqlite_store.h"
#include "vectorstore/store_backup.h"
#include "vectorstore/text_codec.h"

namespace vade::vectorstore {
namespace {

constexpr size_t kMaxProblems = 100;  // a store with more is beyond listing

class Verifier {
 public:
  Verifier(const Database& database, const Database& writable)
      : database_(database), writable_(writable) {}

  Result<VerifyReport> Run() {
    // A damaged page may stop any of these with an error: that is a finding, not a failure.
    Note(CheckPages());
    Note(CheckFullText());
    Note(CheckCounts());
    Note(CheckTexts());
    Note(CheckVectors());
    return std::move(report_);
  }

 private:
  void Problem(const std::string& what) {
    if (report_.problems.size() < kMaxProblems) report_.problems.push_back(what);
  }
  void Note(const Result<void>& check) {
    if (!check) Problem(check.error().message);
  }

  Result<void> CheckPages() {
    VADE_TRY(Statement check, database_.Prepare("PRAGMA integrity_check(20)"));
    while (true) {
      VADE_TRY(const bool row, check.Step());
      if (!row) break;
      if (check.Bytes(0) != "ok") Problem("integrity check: " + utf8::Escape(check.Bytes(0)));
    }
    VADE_TRY(Statement keys, database_.Prepare("PRAGMA foreign_key_check"));
    while (true) {
      VADE_TRY(const bool row, keys.Step());
      if (!row) return {};
      Problem("orphan: row " + keys.Text(1) + " of " + keys.Text(0) + " has no " + keys.Text(2));
    }
  }

  // FTS5's check has the syntax of an INSERT: it needs a connection that may write, though it
  // writes nothing.
  Result<void> CheckFullText() {
    const auto checked =
        writable_.Execute("INSERT INTO fts(fts, rank) VALUES('integrity-check', 1)");
    if (!checked) {
      Problem("full-text index: out of step with the texts (" + checked.error().message + ")");
    }
    return {};
  }

  Result<void> CountProblem(const char* sql, const std::string& what) {
    VADE_TRY(const int64_t count, database_.QueryInt(sql));
    if (count != 0) Problem(std::to_string(count) + " " + what);
    return {};
  }

  Result<void> CheckCounts() {
    VADE_CHECK_OK(
        CountProblem("SELECT count(*) FROM document d WHERE chunk_count <> "
                     "(SELECT count(*) FROM chunk WHERE document = d.id)",
                     "documents whose chunks are not all there"));
    VADE_CHECK_OK(
        CountProblem("SELECT count(*) FROM document d WHERE page_count <> "
                     "(SELECT count(*) FROM page WHERE document = d.id)",
                     "documents whose pages are not all there"));
    VADE_CHECK_OK(
        CountProblem("SELECT count(*) FROM document WHERE status = 0 AND id NOT IN "
                     "(SELECT document FROM text)",
                     "documents without text"));
    VADE_TRY(const int64_t dimension,
             database_.QueryInt("SELECT value FROM meta WHERE key = 'dimension'"));
    if (dimension == 0) return {};
    VADE_CHECK_OK(
        CountProblem("SELECT (SELECT count(*) FROM chunk) - "
                     "(SELECT coalesce(sum(rows), 0) FROM vector_block)",
                     "chunks without a vector"));
    return CountProblem(
        "SELECT count(*) FROM meta WHERE key IN ('embedder', 'chunker') AND value = ''",
        "fingerprints missing");
  }

  Result<void> CheckTexts() {
    VADE_TRY(Statement texts, database_.Prepare("SELECT document, size, checksum, data FROM text"));
    while (true) {
      VADE_TRY(const bool row, texts.Step());
      if (!row) return {};
      const DocumentId id = texts.Int(0);
      const auto text = DecompressText(texts.Bytes(3), texts.Unsigned(1), texts.Unsigned(2));
      if (!text) {
        Problem("document " + std::to_string(id) + ": " + text.error().message);
      } else {
        VADE_CHECK_OK(CheckChunks(id, *text));
      }
    }
  }

  Result<void> CheckChunks(DocumentId id, const std::string& text) {
    VADE_TRY(Statement chunks,
             database_.Prepare("SELECT " + std::string(kChunkColumns) +
                               " FROM chunk WHERE document = ?1 ORDER BY ordinal"));
    chunks.Bind(id);
    for (uint32_t ordinal = 0;; ++ordinal) {
      VADE_TRY(const bool row, chunks.Step());
      if (!row) return {};
      const ChunkRecord chunk = ChunkFromRow(chunks);
      const std::string where =
          "document " + std::to_string(id) + ", chunk " + std::to_string(chunk.id) + ": ";
      if (chunk.ordinal != ordinal) Problem(where + "out of order");
      if (chunk.begin >= chunk.end || chunk.end > text.size()) {
        Problem(where + "outside its text");
      } else if (ChunkChecksum(chunk, text) != chunks.Unsigned(10)) {
        Problem(where + "checksum mismatch");
      }
      ++report_.checked_chunks;
    }
  }

  Result<void> CheckVectors() {
    VADE_TRY(const int64_t dimension,
             database_.QueryInt("SELECT value FROM meta WHERE key = 'dimension'"));
    VADE_TRY(Statement blocks,
             database_.Prepare("SELECT first_chunk, rows, scales, codes, code_checksum, "
                               "original_checksum, originals FROM vector_block"));
    while (true) {
      VADE_TRY(const bool row, blocks.Step());
      if (!row) return {};
      const std::string where = "vector block " + std::to_string(blocks.Int(0)) + ": ";
      const uint64_t rows = blocks.Unsigned(1);
      const uint64_t numbers = rows * static_cast<uint64_t>(dimension);
      const std::string_view scales = blocks.Bytes(2);
      const std::string_view codes = blocks.Bytes(3);
      const std::string_view originals = blocks.Bytes(6);
      if (rows == 0 || rows > kMaxBlockRows || scales.size() != rows * sizeof(float) ||
          codes.size() != numbers || originals.size() != numbers * sizeof(uint16_t)) {
        Problem(where + "its size disagrees with its rows");
        continue;
      }
      if ((Hash64(codes) ^ Hash64(scales)) != blocks.Unsigned(4)) {
        Problem(where + "codes: checksum mismatch");
      }
      if (Hash64(originals) != blocks.Unsigned(5)) Problem(where + "originals: checksum mismatch");
      report_.checked_vectors += rows;
    }
  }

  const Database& database_;
  const Database& writable_;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> SqliteStore::Verify() const {
  VADE_TRY(const Reader reader, TakeReader());
  auto writable = OpenWriter(path_, options_);
  // A store on a read-only place is checked in a copy in memory.
  if (!writable) {
    VADE_TRY(writable, OpenScratch());
    VADE_CHECK_OK(CopyPages(reader.database(), writable->database));
  }
  return Verifier(reader.database(), writable->database).Run();
}

}  // namespace vade::vectorstore
