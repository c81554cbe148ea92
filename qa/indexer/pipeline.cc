#include "qa/indexer/pipeline.h"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace vade::qa {
namespace {

// Enough chunks for the engine to batch well; few enough that a killed run repeats little work.
constexpr size_t kBatchChunks = 256;
constexpr size_t kWriteQueueDocuments = 64;

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

vectorstore::ChunkRecord ToRecord(ingest::Chunk chunk) {
  return {.ordinal = chunk.ordinal,
          .begin = chunk.begin,
          .end = chunk.end,
          .first_page = chunk.first_page,
          .last_page = chunk.last_page,
          .token_count = chunk.token_count,
          .heading_path = std::move(chunk.heading_path),
          .context = std::move(chunk.context)};
}

// Waits for one document, then takes what else is ready, up to a batch.
std::vector<PreparedDocument> TakeBatch(BoundedQueue<PreparedDocument>& input) {
  std::vector<PreparedDocument> batch;
  size_t chunks = 0;
  for (auto next = input.Pop(); next; next = input.TryPop()) {
    chunks += next->embedding_texts.size();
    batch.push_back(std::move(*next));
    if (chunks >= kBatchChunks) break;
  }
  return batch;
}

Result<void> EmbedBatch(std::vector<PreparedDocument>& batch, embed::Embedder& embedder,
                        const CancelToken& cancel) {
  std::vector<std::string_view> texts;
  for (const PreparedDocument& prepared : batch) {
    texts.insert(texts.end(), prepared.embedding_texts.begin(), prepared.embedding_texts.end());
  }
  const size_t dimension = embedder.dimension();
  std::vector<float> vectors(texts.size() * dimension);
  VADE_CHECK_OK(embedder.EmbedPassages(texts, vectors, &cancel));
  auto row = vectors.begin();
  for (PreparedDocument& prepared : batch) {
    const auto end = row + static_cast<std::ptrdiff_t>(prepared.embedding_texts.size() * dimension);
    prepared.document.vectors.assign(row, end);
    prepared.embedding_texts = {};
    row = end;
  }
  return {};
}

// The writing thread: fsyncs of one document overlap the embedding of the next ones.
class Writer {
 public:
  explicit Writer(vectorstore::Store& store)
      : store_(store), queue_(kWriteQueueDocuments), thread_([this] { Loop(); }) {}

  ~Writer() {
    queue_.Close();
    if (thread_.joinable()) thread_.join();
  }

  bool Push(PreparedDocument document) { return queue_.Push(std::move(document)); }

  Result<double> Finish() {
    queue_.Close();
    thread_.join();
    if (error_) return tl::unexpected(*error_);
    return seconds_;
  }

 private:
  void Loop() {
    while (auto prepared = queue_.Pop()) {
      const auto start = std::chrono::steady_clock::now();
      auto written = store_.PutDocument(std::move(prepared->document));
      seconds_ += SecondsSince(start);
      if (!written) {
        error_ = std::move(written).error();
        queue_.Close();
        return;
      }
    }
  }

  vectorstore::Store& store_;
  BoundedQueue<PreparedDocument> queue_;
  std::optional<Error> error_;  // read after the join
  double seconds_ = 0;
  std::thread thread_;
};

Result<void> EmbedAll(BoundedQueue<PreparedDocument>& input, Writer& writer,
                      embed::Embedder& embedder, const CancelToken& cancel, PipelineStats& stats,
                      const std::function<void(const PipelineStats&)>& progress) {
  while (true) {
    std::vector<PreparedDocument> batch = TakeBatch(input);
    if (batch.empty()) return {};
    if (cancel.cancelled()) return Fail(ErrorCode::kCancelled, "interrupted");
    const auto start = std::chrono::steady_clock::now();
    VADE_CHECK_OK(EmbedBatch(batch, embedder, cancel));
    stats.embed_seconds += SecondsSince(start);
    for (PreparedDocument& prepared : batch) {
      ++stats.documents;
      stats.pages += prepared.document.pages.size();
      stats.chunks += prepared.document.chunks.size();
      stats.tokens += prepared.tokens;
      if (!writer.Push(std::move(prepared))) return {};  // Finish() has the error
    }
    progress(stats);
  }
}

}  // namespace

ingest::ChunkOptions ChunkOptionsFor(const embed::Embedder& embedder) {
  ingest::ChunkOptions options;
  options.max_tokens = std::min(options.max_tokens, embedder.max_tokens());
  options.special_tokens = embedder.special_tokens();
  options.target_tokens = std::min(options.target_tokens, options.max_tokens);
  return options;
}

vectorstore::Fingerprints FingerprintsOf(const embed::Embedder& embedder) {
  return {.embedder = embedder.fingerprint(),
          .chunker = ingest::ChunkerFingerprint(ChunkOptionsFor(embedder)),
          .dimension = static_cast<uint32_t>(embedder.dimension())};
}

PreparedDocument Prepare(ingest::Document document, vectorstore::DocumentRecord record,
                         const embed::Embedder& embedder) {
  PreparedDocument prepared;
  const auto chunks =
      ingest::ChunkDocument(document, ChunkOptionsFor(embedder),
                            [&](std::string_view text) { return embedder.CountTokens(text); });
  for (const ingest::Chunk& chunk : chunks) {
    prepared.embedding_texts.push_back(ingest::EmbeddingText(chunk, document.text));
    prepared.tokens += chunk.token_count;
    prepared.document.chunks.push_back(ToRecord(chunk));
  }
  for (ingest::Page& page : document.pages) {
    prepared.document.pages.push_back(
        {page.number, std::move(page.label), page.begin, page.end, page.has_text});
  }
  for (ingest::Note& note : document.notes) {
    prepared.document.notes.push_back({note.page, std::move(note.text)});
  }
  record.type = std::move(document.type);
  record.title = std::move(document.title);
  record.language = std::move(document.language);
  prepared.document.text = std::move(document.text);
  prepared.document.record = std::move(record);
  return prepared;
}

Result<PipelineStats> EmbedAndStore(BoundedQueue<PreparedDocument>& input,
                                    vectorstore::Store& store, embed::Embedder& embedder,
                                    const CancelToken& cancel,
                                    const std::function<void(const PipelineStats&)>& progress) {
  PipelineStats stats;
  Writer writer(store);
  auto embedded = EmbedAll(input, writer, embedder, cancel, stats, progress);
  input.Close();
  VADE_TRY(stats.store_seconds, writer.Finish());  // a write error explains a stop in embedding
  VADE_CHECK_OK(std::move(embedded));
  return stats;
}

}  // namespace vade::qa
