// EmbedAndStore: the second half of indexing. Prepared documents -> vectors -> one transaction
// each.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "ingest/chunker.h"
#include "ingest/document.h"
#include "qa/indexer/bounded_queue.h"
#include "vectorstore/store.h"

namespace vade::qa {

/// A document cut into chunks, waiting for its vectors.
struct PreparedDocument {
  vectorstore::NewDocument document;
  std::vector<std::string> embedding_texts;  // one per chunk
  uint64_t tokens = 0;
};

/// Cuts and converts; `record` carries path, collection and file identity.
[[nodiscard]] PreparedDocument Prepare(ingest::Document document,
                                       vectorstore::DocumentRecord record,
                                       const embed::Embedder& embedder);

/// The chunker settings that fit an embedder.
[[nodiscard]] ingest::ChunkOptions ChunkOptionsFor(const embed::Embedder& embedder);

/// What the store is (to be) built with.
[[nodiscard]] vectorstore::Fingerprints FingerprintsOf(const embed::Embedder& embedder);

struct PipelineStats {
  uint64_t documents = 0, pages = 0, chunks = 0, tokens = 0;
  double embed_seconds = 0, store_seconds = 0;
};

/// Takes prepared documents from `input` until it is closed: embeds them in batches that cross
/// documents on the calling thread while a second thread writes. Stops at the first error, closing
/// `input`, so that producers stop as well; what was committed stays.
[[nodiscard]] Result<PipelineStats> EmbedAndStore(
    BoundedQueue<PreparedDocument>& input, vectorstore::Store& store, embed::Embedder& embedder,
    const CancelToken& cancel, const std::function<void(const PipelineStats&)>& progress);

}  // namespace vade::qa
