// The searches of SqliteStore. Filters are applied before the best k are chosen, so that a filtered
// search returns k hits whenever k exist.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <shared_mutex>
#include <string>

#include "engine/base/hash.h"
#include "engine/kernels/vector_scan.h"
#include "vectorstore/lexical_tokenizer.h"
#include "vectorstore/sqlite_store.h"
#include "vectorstore/vector_codec.h"

namespace vade::vectorstore {
namespace {

// A chunk's score is its own BM25 plus this much of its document's: the chunk that answers often
// names the subject only in its neighbours. nDCG@10 of `vade eval --mode lexical` at 0.5 / 1 / 2 /
// 4: tydiqa-ko .665 .670 .672 .672 (its chunks are small: the embedder spells Hangul out),
// cranfield .526 .527 .526 .527, emanual-s10 .877 throughout.
constexpr float kDocumentWeight = 2.0f;

// Codes rank within about 0.003 of the exact cosine; so many more candidates than k are rescored
// that the exact best k are among them (recall@10 measured by bench/vector_scan_bench).
constexpr size_t kExtraCandidates = 128;

constexpr size_t kMaxOriginalBytes = size_t{256} << 20;  // then the cache of f16 rows starts over

// The query in the form of the codes.
struct EncodedQuery {
  AlignedBuffer<int8_t> codes;  // [stride]
  float scale;
};

EncodedQuery Encode(std::span<const float> query, uint32_t stride) {
  EncodedQuery encoded{AlignedBuffer<int8_t>(stride), 0};
  encoded.scale = QuantizeInt8(query, encoded.codes.span().first(query.size()));
  return encoded;
}

// Scores the rows [begin, end) of the index, segment by segment.
void ScanRange(const ScanIndex& index, const EncodedQuery& query, uint32_t begin, uint32_t end,
               std::vector<float>& scores, TopK& best) {
  const kernels::VectorScanKernels& kernel = kernels::GetVectorScanKernels();
  while (begin < end) {
    const CodeSegment& segment = index.segments()[begin / CodeSegment::kRows];
    const uint32_t first = begin % CodeSegment::kRows;
    const uint32_t rows = std::min(end - begin, CodeSegment::kRows - first);
    kernel.score_codes(
        {segment.codes.data() + size_t{first} * index.stride(), segment.scales.data() + first,
         segment.sums.data() + first, rows, index.stride()},
        query.codes.data(), query.scale, scores.data());
    for (uint32_t i = 0; i < rows; ++i) {
      if (scores[i] >= best.threshold()) best.Add(scores[i], begin + i);
    }
    begin += rows;
  }
}

Hit MakeHit(const ScanIndex& index, const Scored& scored) {
  return {index.ChunkAt(scored.position), index.DocumentAt(scored.position).id, scored.score,
          scored.score};
}

}  // namespace

Result<void> SqliteStore::WithIndex(bool needs_codes, const SearchBody& body) const {
  VADE_TRY(const Reader reader, TakeReader());
  const Database& database = reader.database();
  while (true) {
    VADE_TRY(Transaction transaction, Transaction::Begin(database, Transaction::Kind::kRead));
    VADE_TRY(const StoreState state, ReadState(database));
    {
      const std::shared_lock shared(index_mutex_);
      if (index_.generation() == state.generation && (!needs_codes || index_.has_codes())) {
        return body(database);
      }
    }
    const std::unique_lock alone(index_mutex_);
    if (index_.generation() > state.generation) continue;  // another search saw a newer state
    if (index_.generation() != state.generation) {
      postings_.Clear();
      VADE_CHECK_OK(index_.Refresh(database, state.generation));
      VADE_TRY(const auto fingerprints, ReadFingerprints(database));
      dimension_ = fingerprints ? fingerprints->dimension : 0;
    }
    if (needs_codes) VADE_CHECK_OK(index_.LoadCodes(database, dimension_));
    return body(database);
  }
}

Result<std::vector<bool>> SqliteStore::AllowedDocuments(const Database& database,
                                                        const Filter& filter) const {
  if (filter.path_globs.empty() && filter.documents.empty() && filter.collections.empty()) {
    return std::vector<bool>();
  }
  const std::vector<IndexedDocument>& documents = index_.documents();
  std::vector<bool> allowed(std::max<size_t>(documents.size(), 1));  // empty would mean "all"
  VADE_TRY(Statement rows, database.Prepare("SELECT d.id, d.path, c.name FROM document d JOIN "
                                            "collection c ON c.id = d.collection ORDER BY d.id"));
  size_t at = 0;
  while (true) {
    VADE_TRY(const bool row, rows.Step());
    if (!row) return allowed;
    const DocumentId id = rows.Int(0);
    while (at < documents.size() && documents[at].id < id) ++at;
    if (at == documents.size()) return allowed;
    if (documents[at].id == id)
      allowed[at] = PassesFilter(filter, id, rows.Bytes(1), rows.Bytes(2));
  }
}

Result<std::vector<Hit>> SqliteStore::LexicalSearch(std::string_view query, size_t k,
                                                    const Filter& filter) const {
  std::map<std::string, float> weights;  // in order: sums of floats come out the same every time
  for (Token& token : Tokenize(query, TokenizeFor::kQuery)) weights[std::move(token.term)] += 1;
  std::vector<Hit> hits;
  if (weights.empty() || k == 0) return hits;
  const auto searched = WithIndex(false, [&](const Database& database) -> Result<void> {
    std::vector<WeightedTerm> terms;
    for (const auto& [term, weight] : weights) {
      VADE_TRY(auto postings, postings_.Get(database, index_, term));
      terms.push_back({std::move(postings), weight});
    }
    VADE_TRY(const std::vector<bool> allowed, AllowedDocuments(database, filter));
    for (const ScoredChunk& scored : ScoreTerms(index_, terms, k, kDocumentWeight, allowed)) {
      hits.push_back(MakeHit(index_, scored));
      hits.back().own_score = scored.own;
    }
    return {};
  });
  VADE_CHECK_OK(searched);
  return hits;
}

Result<std::vector<uint64_t>> SqliteStore::CountChunksWith(
    std::span<const std::string> terms) const {
  std::vector<uint64_t> counts;
  const auto counted = WithIndex(false, [&](const Database& database) -> Result<void> {
    for (const std::string& term : terms) {
      VADE_TRY(const auto postings, postings_.Get(database, index_, term));
      counts.push_back(postings->chunks.size());
    }
    return {};
  });
  VADE_CHECK_OK(counted);
  return counts;
}

Result<std::vector<Hit>> SqliteStore::DenseSearch(std::span<const float> query, size_t k,
                                                  const Filter& filter) const {
  std::vector<Hit> hits;
  const auto searched = WithIndex(true, [&](const Database& database) -> Result<void> {
    if (dimension_ == 0 || query.size() != dimension_) {
      return Fail(ErrorCode::kInvalidArgument, "dense search: got a query of dimension " +
                                                   std::to_string(query.size()) +
                                                   ", the store has " + std::to_string(dimension_));
    }
    if (!std::all_of(query.begin(), query.end(), [](float x) { return std::isfinite(x); })) {
      return Fail(ErrorCode::kInvalidArgument, "dense search: the query is not finite");
    }
    if (k == 0 || index_.size() == 0) return {};  // without rows there is no stride
    VADE_TRY(const std::vector<bool> allowed, AllowedDocuments(database, filter));
    const EncodedQuery encoded = Encode(query, index_.stride());
    std::vector<float> scores(CodeSegment::kRows);
    TopK candidates(std::min(k, index_.size()) + kExtraCandidates);
    for (const auto& [begin, end] : index_.LiveRanges(allowed)) {
      ScanRange(index_, encoded, begin, end, scores, candidates);
    }
    TopK best(std::min(k, index_.size()));
    const kernels::VectorScanKernels& kernel = kernels::GetVectorScanKernels();
    for (const Scored& candidate : candidates.Take()) {
      const ChunkId chunk = index_.ChunkAt(candidate.position);
      VADE_TRY(const auto originals, LoadOriginals(database, chunk));
      const auto row = static_cast<size_t>(chunk - originals->first_chunk);
      best.Add(kernel.dot_f16(query.data(), originals->rows.data() + row * dimension_, dimension_),
               candidate.position);
    }
    for (const Scored& scored : best.Take()) hits.push_back(MakeHit(index_, scored));
    return {};
  });
  VADE_CHECK_OK(searched);
  return hits;
}

Result<std::shared_ptr<const SqliteStore::Originals>> SqliteStore::LoadOriginals(
    const Database& database, ChunkId chunk) const {
  {
    const std::lock_guard lock(originals_mutex_);
    auto after = originals_.upper_bound(chunk);
    if (after != originals_.begin()) {
      const auto& block = (--after)->second;
      const size_t rows = block->rows.size() / std::max<uint32_t>(block->dimension, 1);
      if (chunk < block->first_chunk + static_cast<ChunkId>(rows)) return block;
    }
  }
  VADE_TRY(
      Statement find,
      database.Prepare("SELECT first_chunk, rows, original_checksum, originals FROM "
                       "vector_block WHERE first_chunk <= ?1 ORDER BY first_chunk DESC LIMIT 1"));
  VADE_TRY(const bool found, find.Bind(chunk).Step());
  if (!found || chunk >= find.Int(0) + find.Int(1)) return NotFound("vector of chunk", chunk);
  const std::string_view bytes = find.Bytes(3);
  const uint64_t rows = find.Unsigned(1);
  const uint64_t dimension = rows == 0 ? 0 : bytes.size() / sizeof(uint16_t) / rows;
  if (bytes.size() != rows * dimension * sizeof(uint16_t) || Hash64(bytes) != find.Unsigned(2)) {
    return Fail(ErrorCode::kCorruptData,
                "vector block " + std::to_string(find.Int(0)) + ": checksum mismatch");
  }
  auto block = std::make_shared<Originals>();
  block->first_chunk = find.Int(0);
  block->dimension = static_cast<uint32_t>(dimension);
  block->rows.resize(bytes.size() / sizeof(uint16_t));
  std::memcpy(block->rows.data(), bytes.data(), bytes.size());
  const std::lock_guard lock(originals_mutex_);
  if (originals_bytes_ + bytes.size() > kMaxOriginalBytes) {
    originals_.clear();
    originals_bytes_ = 0;
  }
  if (originals_.emplace(block->first_chunk, block).second) originals_bytes_ += bytes.size();
  return block;
}

Result<std::vector<float>> SqliteStore::GetVector(ChunkId id) const {
  VADE_TRY(const Reader reader, TakeReader());
  VADE_TRY(const auto block, LoadOriginals(reader.database(), id));
  const auto row = static_cast<size_t>(id - block->first_chunk);
  std::vector<float> vector(block->dimension);
  std::transform(block->rows.begin() + static_cast<ptrdiff_t>(row * block->dimension),
                 block->rows.begin() + static_cast<ptrdiff_t>((row + 1) * block->dimension),
                 vector.begin(), F32FromF16);
  return vector;
}

}  // namespace vade::vectorstore
