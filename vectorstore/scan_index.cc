#include "vectorstore/scan_index.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "engine/base/hash.h"
#include "engine/kernels/vector_scan.h"
#include "vectorstore/schema.h"

namespace vade::vectorstore {
namespace {

constexpr uint64_t kMinHoles = 1024;  // below this, holes are not worth a reload

tl::unexpected<Error> Corrupt(const Database& database, const std::string& what) {
  return Fail(ErrorCode::kCorruptData, database.name() + ": " + what);
}

}  // namespace

void ScanIndex::Clear() { *this = ScanIndex(); }

Result<void> ScanIndex::Refresh(const Database& database, int64_t generation) {
  if (generation == generation_) return {};
  generation_ = -1;  // an error half-way leaves "unknown", so that the next search starts over
  if (const auto dropped = DropGone(database); !dropped) {
    Clear();
    return dropped;
  }
  if (const uint64_t holes = size() - live_chunks_; holes > kMinHoles && holes * 4 > size())
    Clear();
  if (const auto appended = AppendNew(database); !appended) {
    Clear();
    return appended;
  }
  generation_ = generation;
  return {};
}

Result<void> ScanIndex::DropGone(const Database& database) {
  if (documents_.empty()) return {};
  VADE_TRY(Statement ids,
           database.Prepare("SELECT id FROM document WHERE chunk_count > 0 ORDER BY id"));
  DocumentId present = 0;
  for (IndexedDocument& document : documents_) {
    while (present < document.id) {
      VADE_TRY(const bool row, ids.Step());
      present = row ? ids.Int(0) : std::numeric_limits<DocumentId>::max();
    }
    if (present == document.id || !document.alive) continue;
    document.alive = false;
    live_chunks_ -= document.count;
    live_terms_ -= document.terms;
    --live_documents_;
  }
  return {};
}

Result<void> ScanIndex::AppendNew(const Database& database) {
  VADE_TRY(Statement chunks,
           database.Prepare("SELECT id, document, terms FROM chunk INDEXED BY chunk_order "
                            "WHERE document > ?1 ORDER BY document, ordinal"));
  chunks.Bind(documents_.empty() ? DocumentId{0} : documents_.back().id);
  while (true) {
    VADE_TRY(const bool row, chunks.Step());
    if (!row) return {};
    const ChunkId chunk = chunks.Int(0);
    const DocumentId id = chunks.Int(1);
    const uint32_t terms = chunks.Unsigned32(2);
    const auto position = static_cast<uint32_t>(terms_.size());
    if (documents_.empty() || documents_.back().id != id) {
      documents_.push_back({id, chunk, position, 0, 0, true});
      ++live_documents_;
    }
    IndexedDocument& document = documents_.back();
    if (chunk != document.first_chunk + document.count) {
      return Corrupt(database, "document " + std::to_string(id) + ": chunk ids have a gap");
    }
    ++document.count;
    document.terms += terms;
    document_of_.push_back(static_cast<uint32_t>(documents_.size() - 1));
    terms_.push_back(terms);
    ++live_chunks_;
    live_terms_ += terms;
  }
}

std::optional<uint32_t> ScanIndex::PositionOf(ChunkId chunk) const noexcept {
  const auto after =
      std::upper_bound(documents_.begin(), documents_.end(), chunk,
                       [](ChunkId id, const IndexedDocument& d) { return id < d.first_chunk; });
  if (after == documents_.begin()) return std::nullopt;
  const IndexedDocument& document = *(after - 1);
  if (chunk >= document.first_chunk + document.count || !document.alive) return std::nullopt;
  return document.begin + static_cast<uint32_t>(chunk - document.first_chunk);
}

Result<void> ScanIndex::LoadCodes(const Database& database, uint32_t dimension) {
  if (has_codes()) return {};
  stride_ = static_cast<uint32_t>(kernels::CodeRowStride(dimension));
  while (segments_.size() * CodeSegment::kRows < size()) {
    segments_.push_back({AlignedBuffer<int8_t>(size_t{CodeSegment::kRows} * stride_),
                         AlignedBuffer<float>(CodeSegment::kRows),
                         AlignedBuffer<int32_t>(CodeSegment::kRows)});
  }
  VADE_TRY(Statement blocks,
           database.Prepare("SELECT first_chunk, rows, scales, codes, code_checksum "
                            "FROM vector_block WHERE first_chunk >= ?1 ORDER BY first_chunk"));
  blocks.Bind(documents_[coded_].first_chunk);
  uint64_t rows = 0;
  while (true) {
    VADE_TRY(const bool row, blocks.Step());
    if (!row) break;
    VADE_CHECK_OK(CopyBlock(blocks, dimension));
    rows += blocks.Unsigned(1);
  }
  uint64_t wanted = 0;
  for (size_t i = coded_; i < documents_.size(); ++i) {
    if (documents_[i].alive) wanted += documents_[i].count;
  }
  if (rows != wanted) {
    return Corrupt(database, "vectors: got " + std::to_string(rows) + " rows for " +
                                 std::to_string(wanted) + " chunks");
  }
  coded_ = documents_.size();
  return {};
}

Result<void> ScanIndex::CopyBlock(const Statement& row, uint32_t dimension) {
  const ChunkId first_chunk = row.Int(0);
  const uint64_t rows = row.Unsigned(1);
  const std::string_view scales = row.Bytes(2);
  const std::string_view codes = row.Bytes(3);
  const std::optional<uint32_t> first = PositionOf(first_chunk);
  const auto damaged = [&](const std::string& what) {
    return Fail(ErrorCode::kCorruptData,
                "vector block " + std::to_string(first_chunk) + ": " + what);
  };
  if (!first) return damaged("belongs to no chunk");
  const IndexedDocument& document = DocumentAt(*first);
  if (rows == 0 || rows > kMaxBlockRows || *first + rows > document.begin + document.count ||
      scales.size() != rows * sizeof(float) || codes.size() != rows * dimension) {
    return damaged("its size disagrees with its rows");
  }
  if ((Hash64(codes) ^ Hash64(scales)) != row.Unsigned(4)) return damaged("checksum mismatch");
  for (uint32_t i = 0; i < rows; ++i) {
    CodeSegment& segment = segments_[(*first + i) / CodeSegment::kRows];
    const size_t at = (*first + i) % CodeSegment::kRows;
    int8_t* target = segment.codes.data() + at * stride_;
    std::memcpy(target, codes.data() + size_t{i} * dimension, dimension);
    std::memcpy(&segment.scales[at], scales.data() + i * sizeof(float), sizeof(float));
    int32_t sum = 0;
    for (uint32_t d = 0; d < dimension; ++d) sum += target[d];
    segment.sums[at] = sum;
  }
  return {};
}

std::vector<std::pair<uint32_t, uint32_t>> ScanIndex::LiveRanges(
    const std::vector<bool>& allowed) const {
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
  for (size_t i = 0; i < documents_.size(); ++i) {
    const IndexedDocument& document = documents_[i];
    if (!document.alive || (!allowed.empty() && !allowed[i])) continue;
    if (!ranges.empty() && ranges.back().second == document.begin) {
      ranges.back().second += document.count;
    } else {
      ranges.emplace_back(document.begin, document.begin + document.count);
    }
  }
  return ranges;
}

}  // namespace vade::vectorstore
