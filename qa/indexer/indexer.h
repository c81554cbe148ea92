// Indexer: brings a store in step with a folder. New, changed, renamed and deleted files in one
// run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "ingest/document.h"
#include "ingest/extract.h"
#include "ingest/walker.h"
#include "vectorstore/store.h"

namespace vade::qa {

struct IndexOptions {
  ingest::WalkOptions walk;
  ingest::ExtractLimits limits;
  std::string collection;  // name; empty: the folder's name
  bool force = false;      // index unchanged files again
  size_t num_threads = 0;  // extractor processes at once; 0: all usable cores
};

struct IndexProgress {
  size_t files_done = 0;
  size_t files_total = 0;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  uint64_t chunks = 0;
  std::string current;  // path last finished
};

/// A file with something to say: why it was skipped, or what was lost or repaired on its pages.
struct FileReport {
  std::string path;
  std::string reason;  // empty when the file was indexed
  std::vector<ingest::Note> notes;
};

struct IndexReport {
  size_t added = 0, changed = 0, renamed = 0, removed = 0, unchanged = 0, skipped = 0;
  uint64_t pages = 0, chunks = 0, tokens = 0;
  double seconds = 0, embed_seconds = 0, store_seconds = 0;
  std::vector<FileReport> files;  // sorted by path
};

using IndexProgressCallback = std::function<void(const IndexProgress&)>;

/// Indexes `root`, a folder or one file. A folder inside a known collection updates its part of
/// that collection. Documents committed before an error or a cancellation stay. Errors: kCancelled;
/// those of the store; kNotFound when root does not exist.
[[nodiscard]] Result<IndexReport> IndexFolder(const std::string& root, const IndexOptions& options,
                                              vectorstore::Store& store, embed::Embedder& embedder,
                                              const CancelToken& cancel,
                                              const IndexProgressCallback& progress);

/// A document that is not a file (evaluation collections); `path` is its id.
struct NamedDocument {
  std::string path;
  ingest::Document document;
};

/// Chunks, embeds and stores ready-made documents.
[[nodiscard]] Result<IndexReport> IndexDocuments(vectorstore::CollectionId collection,
                                                 std::vector<NamedDocument> documents,
                                                 vectorstore::Store& store,
                                                 embed::Embedder& embedder,
                                                 const CancelToken& cancel,
                                                 const IndexProgressCallback& progress);

}  // namespace vade::qa
