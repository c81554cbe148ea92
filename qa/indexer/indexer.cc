// One index run: walk, compare with the store, extract what changed in parallel child processes,
// hand it to EmbedAndStore, then remove what is gone. Every step can be killed: a document is in
// the store wholly or not at all, and the next run finds what is missing by comparing again.
#include "qa/indexer/indexer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "engine/base/cpu_features.h"
#include "qa/indexer/bounded_queue.h"
#include "qa/indexer/pipeline.h"
#include "qa/indexer/scope.h"

namespace vade::qa {
namespace {

using vectorstore::DocumentRecord;
using vectorstore::DocumentStatus;

constexpr size_t kPreparedQueueDocuments = 16;

// A reason that says something about the file's bytes is stored, so that the file is not parsed
// again until its hash changes. A reason of the moment (permission, vanished) is tried again.
bool IsLasting(ErrorCode code) {
  return code == ErrorCode::kCorruptData || code == ErrorCode::kUnsupported ||
         code == ErrorCode::kResource;
}

// State shared by the extracting threads; everything mutable is behind the mutex or atomic.
class IndexRun {
 public:
  IndexRun(Scope scope, ingest::WalkResult walk, const IndexOptions& options,
           vectorstore::Store& store, embed::Embedder& embedder, const CancelToken& cancel,
           const IndexProgressCallback& progress)
      : scope_(std::move(scope)),
        walk_(std::move(walk)),
        options_(options),
        store_(store),
        embedder_(embedder),
        cancel_(cancel),
        progress_(progress),
        prepared_(kPreparedQueueDocuments) {}

  Result<IndexReport> Execute();

 private:
  Result<void> CompareWithStore();
  void ExtractorLoop();
  Result<void> ProcessFile(const ingest::FoundFile& file);
  Result<bool> KeepKnownContent(const std::string& path, const ingest::FileIdentity& identity);
  std::optional<DocumentRecord> ClaimVanished(const ingest::FileIdentity& identity);
  Result<void> RecordSkip(DocumentRecord record, const Error& error);
  Result<void> RemoveVanished();
  void ReportWalkSkips();
  void ReportProgress(const std::string& path, uint64_t bytes);
  bool WasUnreadable(const std::string& path) const;

  Scope scope_;
  ingest::WalkResult walk_;
  const IndexOptions& options_;
  vectorstore::Store& store_;
  embed::Embedder& embedder_;
  const CancelToken& cancel_;
  const IndexProgressCallback& progress_;
  BoundedQueue<PreparedDocument> prepared_;

  std::map<std::string, DocumentRecord> known_;  // by stored path; constant while threads run
  std::vector<const ingest::FoundFile*> todo_;   // files whose size or time differ
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};

  std::mutex mutex_;  // guards what follows
  std::map<std::string, DocumentRecord> vanished_;
  IndexReport report_;
  IndexProgress state_;
  std::optional<Error> store_error_;
};

Result<void> IndexRun::CompareWithStore() {
  vectorstore::Filter filter;
  filter.collections = {scope_.collection.name};
  VADE_TRY(auto records, store_.ListDocuments(filter));
  for (DocumentRecord& record : records) {
    if (scope_.Covers(record.path)) known_.emplace(record.path, std::move(record));
  }
  vanished_ = known_;
  for (const ingest::FoundFile& file : walk_.files) {
    const std::string path = scope_.ToStored(file.relative_path);
    vanished_.erase(path);
    const auto known = known_.find(path);
    const bool same = known != known_.end() && known->second.size == file.size &&
                      known->second.mtime_ns == file.mtime_ns;
    if (!same || options_.force) {
      todo_.push_back(&file);
      state_.bytes_total += file.size;
    } else if (known->second.status == DocumentStatus::kSkipped) {
      ++report_.skipped;
      report_.files.push_back({path, known->second.reason, {}});
    } else {
      ++report_.unchanged;
    }
  }
  state_.files_total = todo_.size();
  return {};
}

std::optional<DocumentRecord> IndexRun::ClaimVanished(const ingest::FileIdentity& identity) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(vanished_.begin(), vanished_.end(), [&](const auto& entry) {
    return entry.second.content_hash == identity.content_hash && entry.second.size == identity.size;
  });
  if (found == vanished_.end()) return std::nullopt;
  DocumentRecord record = std::move(found->second);
  vanished_.erase(found);
  return record;
}

// True when the bytes are in the store already, under this path or under one that is gone.
Result<bool> IndexRun::KeepKnownContent(const std::string& path,
                                        const ingest::FileIdentity& identity) {
  const auto known = known_.find(path);
  if (known != known_.end()) {
    if (known->second.content_hash != identity.content_hash) return false;
    VADE_CHECK_OK(store_.TouchDocument(known->second.id, identity.mtime_ns));
    const std::lock_guard lock(mutex_);
    if (known->second.status == DocumentStatus::kSkipped) {
      ++report_.skipped;
      report_.files.push_back({path, known->second.reason, {}});
    } else {
      ++report_.unchanged;
    }
    return true;
  }
  const auto vanished = ClaimVanished(identity);
  if (!vanished) return false;
  VADE_CHECK_OK(store_.RenameDocument(vanished->id, path, identity.mtime_ns));
  const std::lock_guard lock(mutex_);
  ++report_.renamed;
  return true;
}

Result<void> IndexRun::RecordSkip(DocumentRecord record, const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    ++report_.skipped;
    report_.files.push_back({record.path, error.message, {}});
  }
  if (!IsLasting(error.code)) {
    // A file that vanished during the run must not go on answering; one that could not be read
    // this time may well be unchanged.
    const auto known = known_.find(record.path);
    if (known == known_.end() || error.code != ErrorCode::kNotFound) return {};
    return store_.DeleteDocument(known->second.id);
  }
  vectorstore::NewDocument skipped;
  record.status = DocumentStatus::kSkipped;
  record.reason = error.message;
  skipped.record = std::move(record);
  VADE_CHECK_OK(store_.PutDocument(std::move(skipped)));
  return {};
}

Result<void> IndexRun::ProcessFile(const ingest::FoundFile& file) {
  DocumentRecord record;
  record.collection = scope_.collection.id;
  record.path = scope_.ToStored(file.relative_path);
  record.size = file.size;
  record.mtime_ns = file.mtime_ns;
  const int root = walk_.root.get();

  const auto identity = ingest::IdentifyFile(root, file.relative_path, options_.limits);
  if (!identity) return RecordSkip(std::move(record), identity.error());
  if (!options_.force) {
    VADE_TRY(const bool kept, KeepKnownContent(record.path, *identity));
    if (kept) return {};
  }
  auto extraction = ingest::ExtractFile(root, file.relative_path, options_.limits, &cancel_);
  if (!extraction && extraction.error().code == ErrorCode::kUnavailable) {  // changed while read
    extraction = ingest::ExtractFile(root, file.relative_path, options_.limits, &cancel_);
  }
  const ingest::FileIdentity& read = extraction ? extraction->identity : *identity;
  record.content_hash = read.content_hash;
  record.size = read.size;
  record.mtime_ns = read.mtime_ns;
  if (!extraction) {
    if (extraction.error().code == ErrorCode::kCancelled) {
      return tl::unexpected(extraction.error());
    }
    return RecordSkip(std::move(record), extraction.error());
  }
  {
    const std::lock_guard lock(mutex_);
    ++(known_.contains(record.path) ? report_.changed : report_.added);
    if (!extraction->document.notes.empty()) {
      report_.files.push_back({record.path, "", extraction->document.notes});
    }
  }
  prepared_.Push(Prepare(std::move(extraction->document), std::move(record), embedder_));
  return {};
}

void IndexRun::ReportProgress(const std::string& path, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  ++state_.files_done;
  state_.bytes_done += bytes;
  state_.current = path;
  progress_(state_);
}

void IndexRun::ExtractorLoop() {
  for (size_t i; (i = next_.fetch_add(1)) < todo_.size();) {
    if (cancel_.cancelled() || failed_.load()) return;
    const ingest::FoundFile& file = *todo_[i];
    const auto processed = ProcessFile(file);
    if (!processed) {
      const std::lock_guard lock(mutex_);
      if (!store_error_) store_error_ = processed.error();
      failed_.store(true);
      return;
    }
    ReportProgress(scope_.ToStored(file.relative_path), file.size);
  }
}

// A folder that could not be read this time proves nothing about the files below it.
bool IndexRun::WasUnreadable(const std::string& path) const {
  return std::any_of(walk_.skipped.begin(), walk_.skipped.end(), [&](const auto& skipped) {
    if (!skipped.unreadable) return false;
    const std::string stored = scope_.ToStored(skipped.relative_path);
    return path == stored || path.starts_with(stored + "/");
  });
}

Result<void> IndexRun::RemoveVanished() {
  for (const auto& [path, record] : vanished_) {
    if (WasUnreadable(path)) continue;
    VADE_CHECK_OK(store_.DeleteDocument(record.id));
    ++report_.removed;
  }
  return {};
}

void IndexRun::ReportWalkSkips() {
  for (const ingest::SkippedPath& skipped : walk_.skipped) {
    if (skipped.on_purpose) continue;
    ++report_.skipped;
    report_.files.push_back({scope_.ToStored(skipped.relative_path), skipped.reason, {}});
  }
}

Result<IndexReport> IndexRun::Execute() {
  VADE_CHECK_OK(CompareWithStore());
  ReportWalkSkips();
  const size_t num_threads = std::max<size_t>(
      1, std::min(options_.num_threads == 0 ? UsableCores() : options_.num_threads, todo_.size()));
  std::vector<std::thread> extractors;
  std::atomic<size_t> running{num_threads};
  for (size_t i = 0; i < num_threads; ++i) {
    extractors.emplace_back([&] {
      ExtractorLoop();
      if (running.fetch_sub(1) == 1) prepared_.Close();
    });
  }
  auto stats = EmbedAndStore(prepared_, store_, embedder_, cancel_, [&](const PipelineStats& now) {
    const std::lock_guard lock(mutex_);
    state_.chunks = now.chunks;
    progress_(state_);
  });
  if (!stats) failed_.store(true);
  for (std::thread& extractor : extractors) extractor.join();
  if (!stats) return tl::unexpected(stats.error());
  if (store_error_) return tl::unexpected(*store_error_);
  if (cancel_.cancelled()) return Fail(ErrorCode::kCancelled, "interrupted");
  VADE_CHECK_OK(RemoveVanished());
  report_.pages = stats->pages;
  report_.chunks = stats->chunks;
  report_.tokens = stats->tokens;
  report_.embed_seconds = stats->embed_seconds;
  report_.store_seconds = stats->store_seconds;
  std::sort(report_.files.begin(), report_.files.end(),
            [](const FileReport& a, const FileReport& b) { return a.path < b.path; });
  return std::move(report_);
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Result<IndexReport> IndexFolder(const std::string& root, const IndexOptions& options,
                                vectorstore::Store& store, embed::Embedder& embedder,
                                const CancelToken& cancel, const IndexProgressCallback& progress) {
  const auto start = std::chrono::steady_clock::now();
  VADE_CHECK_OK(store.SetFingerprints(FingerprintsOf(embedder)));
  VADE_TRY(auto walk, ingest::Walk(root, options.walk, &cancel));
  VADE_TRY(auto scope, ResolveScope(root, options.collection, store));
  IndexRun run(std::move(scope), std::move(walk), options, store, embedder, cancel, progress);
  VADE_TRY(auto report, run.Execute());
  VADE_CHECK_OK(store.Optimize());
  report.seconds = SecondsSince(start);
  return report;
}

Result<IndexReport> IndexDocuments(vectorstore::CollectionId collection,
                                   std::vector<NamedDocument> documents, vectorstore::Store& store,
                                   embed::Embedder& embedder, const CancelToken& cancel,
                                   const IndexProgressCallback& progress) {
  const auto start = std::chrono::steady_clock::now();
  VADE_CHECK_OK(store.SetFingerprints(FingerprintsOf(embedder)));
  IndexProgress state;
  state.files_total = documents.size();
  BoundedQueue<PreparedDocument> prepared(kPreparedQueueDocuments);
  std::thread producer([&] {
    for (NamedDocument& named : documents) {
      DocumentRecord record;
      record.collection = collection;
      record.path = std::move(named.path);
      if (!prepared.Push(Prepare(std::move(named.document), std::move(record), embedder))) break;
    }
    prepared.Close();
  });
  auto stats = EmbedAndStore(prepared, store, embedder, cancel, [&](const PipelineStats& now) {
    state.files_done = now.documents;
    state.chunks = now.chunks;
    progress(state);
  });
  producer.join();
  if (!stats) return tl::unexpected(stats.error());
  VADE_CHECK_OK(store.Optimize());
  IndexReport report;
  report.added = stats->documents;
  report.pages = stats->pages;
  report.chunks = stats->chunks;
  report.tokens = stats->tokens;
  report.embed_seconds = stats->embed_seconds;
  report.store_seconds = stats->store_seconds;
  report.seconds = SecondsSince(start);
  return report;
}

}  // namespace vade::qa
