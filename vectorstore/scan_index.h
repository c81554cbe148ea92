// ScanIndex: what a search touches for every chunk, in memory: lengths, and int8 codes.
//
// Loaded at the first search and kept in step by Refresh(), which compares the documents of a read
// transaction with those it holds: gone ones leave holes (closed when they are a quarter of all),
// new ones are appended. A document's content never changes under its id.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/result.h"
#include "vectorstore/sqlite.h"
#include "vectorstore/store.h"

namespace vade::vectorstore {

/// One document's chunks: consecutive positions, consecutive ids.
struct IndexedDocument {
  DocumentId id = 0;
  ChunkId first_chunk = 0;
  uint32_t begin = 0;  // position of its first chunk
  uint32_t count = 0;
  uint64_t terms = 0;  // positions of the lexical tokenizer: length for BM25
  bool alive = true;
};

/// Rows of codes, appended to and never moved.
struct CodeSegment {
  static constexpr uint32_t kRows = 4096;
  AlignedBuffer<int8_t> codes;  // [kRows, stride]
  AlignedBuffer<float> scales;  // [kRows]
  AlignedBuffer<int32_t> sums;  // [kRows]
};

/// Not thread-safe; SqliteStore guards it. Const members may run in parallel.
class ScanIndex {
 public:
  /// Brings positions and lengths in step with `database`, inside a read transaction.
  [[nodiscard]] Result<void> Refresh(const Database& database, int64_t generation);
  /// Loads the codes of all documents that have none yet. REQUIRES a Refresh() in this transaction.
  [[nodiscard]] Result<void> LoadCodes(const Database& database, uint32_t dimension);

  [[nodiscard]] int64_t generation() const noexcept { return generation_; }
  [[nodiscard]] bool has_codes() const noexcept { return coded_ == documents_.size(); }

  [[nodiscard]] const std::vector<IndexedDocument>& documents() const noexcept {
    return documents_;
  }
  [[nodiscard]] const IndexedDocument& DocumentAt(uint32_t position) const noexcept {
    return documents_[document_of_[position]];
  }
  [[nodiscard]] uint32_t DocumentIndexAt(uint32_t position) const noexcept {
    return document_of_[position];
  }
  [[nodiscard]] ChunkId ChunkAt(uint32_t position) const noexcept {
    const IndexedDocument& document = DocumentAt(position);
    return document.first_chunk + (position - document.begin);
  }
  /// The position of a chunk, if it is here.
  [[nodiscard]] std::optional<uint32_t> PositionOf(ChunkId chunk) const noexcept;
  /// Positions in use, dead ones included.
  [[nodiscard]] size_t size() const noexcept { return terms_.size(); }
  [[nodiscard]] uint32_t terms(uint32_t position) const noexcept { return terms_[position]; }

  [[nodiscard]] uint64_t live_chunks() const noexcept { return live_chunks_; }
  [[nodiscard]] uint64_t live_documents() const noexcept { return live_documents_; }
  [[nodiscard]] uint64_t live_terms() const noexcept { return live_terms_; }

  [[nodiscard]] uint32_t stride() const noexcept { return stride_; }
  [[nodiscard]] const std::vector<CodeSegment>& segments() const noexcept { return segments_; }

  /// Maximal runs [begin, end) of positions that are alive and, if `allowed` is not empty, whose
  /// document's flag is set.
  [[nodiscard]] std::vector<std::pair<uint32_t, uint32_t>> LiveRanges(
      const std::vector<bool>& allowed) const;

 private:
  void Clear();
  [[nodiscard]] Result<void> DropGone(const Database& database);
  [[nodiscard]] Result<void> AppendNew(const Database& database);
  [[nodiscard]] Result<void> CopyBlock(const Statement& row, uint32_t dimension);

  int64_t generation_ = -1;
  std::vector<IndexedDocument> documents_;  // ascending in id, first_chunk and begin
  std::vector<uint32_t> document_of_;       // [size()]: index into documents_
  std::vector<uint32_t> terms_;             // [size()]
  uint64_t live_chunks_ = 0;
  uint64_t live_documents_ = 0;
  uint64_t live_terms_ = 0;

  size_t coded_ = 0;  // documents [0, coded_) have their codes in segments_
  uint32_t stride_ = 0;
  std::vector<CodeSegment> segments_;
};

}  // namespace vade::vectorstore
