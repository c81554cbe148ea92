#include "vectorstore/fts5_extension.h"

#include <memory>
#include <string>

#include "vectorstore/lexical_tokenizer.h"
#include "vectorstore/text_codec.h"

namespace vade::vectorstore {
namespace {

// --- Tokenizer --------------------------------------------------------------------------------
// The instance FTS5 holds is the connection's counter itself: the tokenizer has no other state.

int CreateTokenizer(void* context, const char** /*arguments*/, int /*count*/, Fts5Tokenizer** out) {
  *out = static_cast<Fts5Tokenizer*>(context);
  return SQLITE_OK;
}

void DeleteTokenizer(Fts5Tokenizer* /*tokenizer*/) {}

using EmitToken = int (*)(void*, int flags, const char* term, int size, int begin, int end);

int RunTokenizer(Fts5Tokenizer* tokenizer, void* context, int reason, const char* text, int size,
                 EmitToken emit) try {
  // Queries are tokenized before they get here: one string is one term, taken as it is.
  if ((reason & FTS5_TOKENIZE_QUERY) != 0) return emit(context, 0, text, size, 0, size);
  auto* counter = reinterpret_cast<TokenCounter*>(tokenizer);
  const std::string_view view(text, static_cast<size_t>(size));
  for (const Token& token : Tokenize(view, TokenizeFor::kIndex)) {
    if (!token.colocated) ++counter->positions;
    const int code = emit(context, token.colocated ? FTS5_TOKEN_COLOCATED : 0, token.term.data(),
                          static_cast<int>(token.term.size()), static_cast<int>(token.begin),
                          static_cast<int>(token.end));
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
} catch (const std::bad_alloc&) {
  return SQLITE_NOMEM;
}

// --- vade_tf(fts): how often the first phrase of the MATCH occurs in the current row ----------

void TermFrequency(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* context,
                   int /*count*/, sqlite3_value** /*values*/) {
  Fts5PhraseIter iterator;
  int column = 0;
  int offset = 0;
  int64_t frequency = 0;
  const int code = api->xPhraseFirst(fts, 0, &iterator, &column, &offset);
  if (code != SQLITE_OK) return sqlite3_result_error_code(context, code);
  for (; column >= 0; api->xPhraseNext(fts, &iterator, &column, &offset)) ++frequency;
  sqlite3_result_int64(context, frequency);
}

// --- vade_body(document, context, begin, end): the indexed text of a chunk ---------------------
// Read by FTS5's integrity check through the view chunk_text, in chunk order; so the last document
// is kept, and a document is decompressed once and not once per chunk.

struct BodyReader {
  sqlite3* handle;
  sqlite3_int64 document = 0;
  std::string text;
};

int ReadFrame(BodyReader& reader, sqlite3_stmt* statement, sqlite3_int64 document) {
  sqlite3_bind_int64(statement, 1, document);
  const int code = sqlite3_step(statement);
  if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
  const auto* frame = static_cast<const char*>(sqlite3_column_blob(statement, 0));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, 0));
  auto text =
      DecompressText({frame, size}, static_cast<uint64_t>(sqlite3_column_int64(statement, 1)),
                     static_cast<uint64_t>(sqlite3_column_int64(statement, 2)));
  if (!text) return SQLITE_CORRUPT;
  reader.text = std::move(*text);
  reader.document = document;
  return SQLITE_OK;
}

// The statement must not outlive the call: it would keep a closed connection alive, and with it
// the reader that owns the statement.
int LoadText(BodyReader& reader, sqlite3_int64 document) {
  sqlite3_stmt* statement = nullptr;
  int code =
      sqlite3_prepare_v2(reader.handle, "SELECT data, size, checksum FROM text WHERE document = ?1",
                         -1, &statement, nullptr);
  reader.document = 0;
  if (code == SQLITE_OK) code = ReadFrame(reader, statement, document);
  sqlite3_finalize(statement);
  return code;
}

void Body(sqlite3_context* context, int /*count*/, sqlite3_value** values) try {
  auto& reader = *static_cast<BodyReader*>(sqlite3_user_data(context));
  const sqlite3_int64 document = sqlite3_value_int64(values[0]);
  // The document at begin 0 is always read anew: the text may have been replaced since.
  if (reader.document != document || sqlite3_value_int64(values[2]) == 0) {
    const int code = LoadText(reader, document);
    if (code != SQLITE_OK) return sqlite3_result_error_code(context, code);
  }
  const auto begin = static_cast<uint64_t>(sqlite3_value_int64(values[2]));
  const auto end = static_cast<uint64_t>(sqlite3_value_int64(values[3]));
  if (begin > end || end > reader.text.size()) {
    return sqlite3_result_error_code(context, SQLITE_CORRUPT);
  }
  std::string body(reinterpret_cast<const char*>(sqlite3_value_text(values[1])),
                   static_cast<size_t>(sqlite3_value_bytes(values[1])));
  body += '\n';
  body.append(reader.text, begin, end - begin);
  sqlite3_result_text64(context, body.data(), body.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
} catch (const std::bad_alloc&) {
  sqlite3_result_error_nomem(context);
}

// The documented way to the FTS5 interface: a bound pointer filled in by SELECT fts5(?1).
fts5_api* FtsApi(const Database& database) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database.handle(), "SELECT fts5(?1)", -1, &statement, nullptr) ==
      SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  return api;
}

}  // namespace

Result<void> RegisterExtension(const Database& database, TokenCounter* counter) {
  fts5_api* api = FtsApi(database);
  if (api == nullptr) {
    if (sqlite3_errcode(database.handle()) == SQLITE_NOMEM) {
      return tl::unexpected(database.MakeError("fts5"));
    }
    return Fail(ErrorCode::kUnsupported, "this SQLite library has no FTS5");
  }
  fts5_tokenizer tokenizer{&CreateTokenizer, &DeleteTokenizer, &RunTokenizer};
  int code = api->xCreateTokenizer(api, "vade", counter, &tokenizer, nullptr);
  if (code == SQLITE_OK) {
    code = api->xCreateFunction(api, "vade_tf", nullptr, &TermFrequency, nullptr);
  }
  if (code == SQLITE_OK) {
    auto reader = std::make_unique<BodyReader>(BodyReader{database.handle(), 0, {}});
    // SQLite deletes the reader, also when this call fails.
    code = sqlite3_create_function_v2(
        database.handle(), "vade_body", 4, SQLITE_UTF8 | SQLITE_INNOCUOUS, reader.release(), &Body,
        nullptr, nullptr,
        [](void* reader_pointer) { delete static_cast<BodyReader*>(reader_pointer); });
  }
  if (code != SQLITE_OK) return tl::unexpected(SqliteError(database.name(), "fts5", code));
  return {};
}

}  // namespace vade::vectorstore
