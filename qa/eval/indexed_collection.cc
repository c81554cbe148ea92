// The store of a test collection: cached by content, resumable, or temporary.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <system_error>

#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "ingest/document_builder.h"
#include "qa/eval/runner.h"
#include "qa/indexer/indexer.h"
#include "qa/indexer/pipeline.h"

namespace vade::qa::eval {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxDocumentBytes = uint64_t{64} << 20;
constexpr std::string_view kCorpusRoot =
    "/eval-corpus";  // a collection needs a root; this has none

/// Identity of what the store will hold.
uint64_t CacheKey(const Collection& collection, const vectorstore::Fingerprints& fingerprints) {
  std::string bytes = fingerprints.embedder + "\n" + fingerprints.chunker + "\n";
  if (!collection.documents.empty()) return Hash64(bytes + collection.documents.string());
  for (const CorpusDocument& document : collection.corpus) {
    // Hashed one by one: the text of a corpus may be gigabytes.
    const uint64_t parts[] = {Hash64(document.id), Hash64(document.title), Hash64(document.text)};
    bytes.append(reinterpret_cast<const char*>(parts), sizeof(parts));
  }
  return Hash64(bytes);
}

Result<fs::path> CachedPath(const Collection& collection, const fs::path& folder,
                            const vectorstore::Fingerprints& fingerprints) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return tl::unexpected(ErrnoError(folder.string(), error.value()));
  std::string name;
  for (const char c : collection.name) {
    name += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '-';
  }
  char key[24];
  std::snprintf(key, sizeof(key), "-%016llx.db",
                static_cast<unsigned long long>(CacheKey(collection, fingerprints)));
  return folder / name.substr(0, 60).append(key);
}

Result<fs::path> TemporaryFolder() {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "vade-eval-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return tl::unexpected(ErrnoError(pattern, errno));
  return fs::path(pattern);
}

/// The title stands in the text as well, as the first heading: a question may be about its words.
Result<ingest::Document> ToDocument(const CorpusDocument& source) {
  ingest::DocumentBuilder builder("text", kMaxDocumentBytes);
  builder.SetTitle(source.title);
  if (!source.title.empty()) builder.AddHeading(1, source.title);
  std::string_view rest = source.text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find("\n\n"), rest.size());
    builder.AddParagraph(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return builder.Finish(source.id);
}

Result<void> IndexCorpus(const Collection& collection, vectorstore::Store& store,
                         embed::Embedder& embedder, const CancelToken& cancel,
                         const RunnerProgress& progress) {
  VADE_TRY(const auto target, store.AddCollection(kCorpusRoot, collection.name));
  VADE_TRY(const auto records, store.ListDocuments());
  std::set<std::string_view> present;
  for (const auto& record : records) present.insert(record.path);
  std::vector<NamedDocument> missing;
  for (const CorpusDocument& source : collection.corpus) {
    if (present.contains(source.id)) continue;
    VADE_TRY(ingest::Document document, ToDocument(source));
    missing.push_back({source.id, std::move(document)});
  }
  if (missing.empty()) return {};
  const size_t done_before = collection.corpus.size() - missing.size();
  const auto report = IndexDocuments(
      target.id, std::move(missing), store, embedder, cancel, [&](const IndexProgress& now) {
        progress("Indexing", done_before + now.files_done, collection.corpus.size());
      });
  if (!report) return tl::unexpected(report.error());
  return {};
}

Result<std::vector<std::string>> IndexFiles(const Collection& collection, vectorstore::Store& store,
                                            embed::Embedder& embedder, const RunnerOptions& options,
                                            const CancelToken& cancel,
                                            const RunnerProgress& progress) {
  IndexOptions index_options;
  index_options.num_threads = options.num_threads;
  index_options.collection = collection.name;
  VADE_TRY(const IndexReport report,
           IndexFolder(collection.documents.string(), index_options, store, embedder, cancel,
                       [&](const IndexProgress& now) {
                         progress("Indexing", now.files_done, now.files_total);
                       }));
  std::vector<std::string> warnings;
  std::set<std::string> judged;
  for (const CorpusDocument& unit : collection.corpus) {
    judged.insert(unit.id.substr(0, unit.id.find('#')));
  }
  for (const FileReport& file : report.files) {
    if (file.reason.empty() || !judged.contains(file.path)) continue;
    warnings.push_back("not indexed: " + file.path + ": " + file.reason);
  }
  return warnings;
}

}  // namespace

Result<IndexedCollection> IndexedCollection::Open(const Collection& collection,
                                                  embed::Embedder& embedder,
                                                  const RunnerOptions& options,
                                                  const CancelToken& cancel,
                                                  const RunnerProgress& progress) {
  IndexedCollection indexed;
  const vectorstore::Fingerprints fingerprints = FingerprintsOf(embedder);
  fs::path path;
  if (options.cache_folder.empty()) {
    VADE_TRY(indexed.temporary_, TemporaryFolder());
    path = indexed.temporary_ / "collection.db";
  } else {
    VADE_TRY(path, CachedPath(collection, options.cache_folder, fingerprints));
  }
  const bool durable = !options.cache_folder.empty();  // nobody misses a temporary store
  VADE_TRY(indexed.store_, vectorstore::Store::Open(path, {.durable = durable}));
  if (collection.documents.empty()) {
    VADE_CHECK_OK(IndexCorpus(collection, *indexed.store_, embedder, cancel, progress));
  } else {
    VADE_TRY(indexed.warnings_,
             IndexFiles(collection, *indexed.store_, embedder, options, cancel, progress));
  }
  VADE_TRY(const auto records, indexed.store_->ListDocuments());
  for (const auto& record : records) {
    if (record.status == vectorstore::DocumentStatus::kIndexed)
      indexed.ids_[record.id] = record.path;
  }
  return indexed;
}

IndexedCollection::~IndexedCollection() {
  store_.reset();
  if (temporary_.empty()) return;
  std::error_code error;
  fs::remove_all(temporary_, error);
}

}  // namespace vade::qa::eval
