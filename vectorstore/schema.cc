#include "vectorstore/schema.h"

#include <random>
#include <string>

namespace vade::vectorstore {
namespace {

// Ids are never used again (AUTOINCREMENT) and the chunks of a document have consecutive ids: the
// in-memory index and vector_block rely on both.
constexpr const char* kTables = R"sql(
CREATE TABLE meta(
  key TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE collection(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  root BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE document(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  collection INTEGER NOT NULL REFERENCES collection(id),
  path BLOB NOT NULL,
  content_hash INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  page_count INTEGER NOT NULL,
  chunk_count INTEGER NOT NULL,
  text_bytes INTEGER NOT NULL,
  status INTEGER NOT NULL,
  reason TEXT NOT NULL,
  indexed_at INTEGER NOT NULL,
  UNIQUE(collection, path)
) STRICT;

CREATE TABLE text(
  document INTEGER PRIMARY KEY REFERENCES document(id),
  size INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE page(
  document INTEGER NOT NULL REFERENCES document(id),
  ordinal INTEGER NOT NULL,
  number INTEGER NOT NULL,
  label TEXT NOT NULL,
  begin INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  has_text INTEGER NOT NULL,
  PRIMARY KEY(document, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE note(
  document INTEGER NOT NULL REFERENCES document(id),
  ordinal INTEGER NOT NULL,
  page INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY(document, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunk(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  document INTEGER NOT NULL REFERENCES document(id),
  ordinal INTEGER NOT NULL,
  begin INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  first_page INTEGER NOT NULL,
  last_page INTEGER NOT NULL,
  token_count INTEGER NOT NULL,
  terms INTEGER NOT NULL,
  heading_path TEXT NOT NULL,
  context TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX chunk_order ON chunk(document, ordinal, terms);

CREATE TABLE vector_block(
  first_chunk INTEGER PRIMARY KEY REFERENCES chunk(id),
  rows INTEGER NOT NULL,
  scales BLOB NOT NULL,
  codes BLOB NOT NULL,
  code_checksum INTEGER NOT NULL,
  original_checksum INTEGER NOT NULL,
  originals BLOB NOT NULL
) STRICT;

CREATE VIEW chunk_text AS
  SELECT chunk.id AS id,
         CASE chunk.ordinal WHEN 0 THEN document.title ELSE '' END
           || char(10) || chunk.heading_path AS heading,
         vade_body(chunk.document, chunk.context, chunk.begin, chunk."end") AS body
  FROM chunk JOIN document ON document.id = chunk.document;

CREATE VIRTUAL TABLE fts USING fts5(heading, body, content = 'chunk_text', content_rowid = 'id',
                                    columnsize = 0, tokenize = 'vade');
)sql";

}  // namespace

Result<void> CreateSchema(const Database& database) {
  VADE_CHECK_OK(database.Execute("PRAGMA page_size = " + std::to_string(kPageBytes)));
  VADE_TRY(Transaction transaction, Transaction::Begin(database, Transaction::Kind::kWrite));
  VADE_CHECK_OK(database.Execute("PRAGMA application_id = " + std::to_string(kApplicationId)));
  VADE_CHECK_OK(database.Execute("PRAGMA user_version = " + std::to_string(kSchemaVersion)));
  VADE_CHECK_OK(database.Execute(kTables));
  VADE_TRY(Statement meta, database.Prepare("INSERT INTO meta(key, value) VALUES(?1, ?2)"));
  VADE_CHECK_OK(meta.Bind(std::string_view("store_id"), NewStoreId()).Run());
  VADE_CHECK_OK(meta.Bind(std::string_view("generation"), int64_t{1}).Run());
  VADE_CHECK_OK(meta.Bind(std::string_view("unmerged_deletes"), int64_t{0}).Run());
  return transaction.Commit();
}

int64_t NewStoreId() {
  std::random_device random;
  const uint64_t bits = (uint64_t{random()} << 32) ^ random();
  return static_cast<int64_t>(bits >> 1);  // positive
}

Result<void> Migrate(const Database& database, uint32_t version, uint32_t target,
                     std::span<const Migration> steps) {
  VADE_TRY(Transaction transaction, Transaction::Begin(database, Transaction::Kind::kWrite));
  for (; version < target; ++version) {
    const Migration* step = nullptr;
    for (const Migration& candidate : steps) {
      if (candidate.from == version) step = &candidate;
    }
    if (step == nullptr) {
      return Fail(ErrorCode::kCorruptData, database.name() + ": no way to update version " +
                                               std::to_string(version) + ": index again");
    }
    VADE_CHECK_OK(database.Execute(step->sql));
  }
  VADE_CHECK_OK(database.Execute("PRAGMA user_version = " + std::to_string(target)));
  return transaction.Commit();
}

std::span<const Migration> Migrations() noexcept { return {}; }

}  // namespace vade::vectorstore
