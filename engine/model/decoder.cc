#include "engine/model/decoder.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/memory_info.h"

namespace vade::model {
namespace {

constexpr size_t kDefaultContext = 4096;
constexpr size_t kMaxBatch = 1u << 16;
constexpr size_t kMaxSequences = 4096;
constexpr size_t kMaxCacheTokens = size_t{1} << 32;

std::string Numbers(size_t got, size_t highest) {
  return "got " + std::to_string(got) + ", expected 1 to " + std::to_string(highest);
}

Result<DecoderLimits> Settle(const gguf::File& file, const DecoderConfig& config,
                             DecoderLimits limits) {
  if (limits.ctx_len == 0) limits.ctx_len = std::min(config.trained_ctx_len, kDefaultContext);
  if (limits.num_sequences == 0 || limits.num_sequences > kMaxSequences) {
    return Fail(ErrorCode::kInvalidArgument,
                file.name() + ": sequences: " + Numbers(limits.num_sequences, kMaxSequences));
  }
  if (limits.cache_tokens == 0) {
    limits.cache_tokens = limits.num_sequences * limits.ctx_len + limits.spare_tokens;
  }
  const auto refuse = [&](const char* what, size_t got, size_t highest) {
    return Fail(ErrorCode::kInvalidArgument, file.name() + ": " + what + Numbers(got, highest));
  };
  if (limits.ctx_len > config.trained_ctx_len) {
    return refuse("context length: the model was trained for fewer tokens: ", limits.ctx_len,
                  config.trained_ctx_len);
  }
  if (limits.batch_tokens == 0 || limits.batch_tokens > kMaxBatch) {
    return refuse("batch tokens: ", limits.batch_tokens, kMaxBatch);
  }
  if (limits.cache_tokens > kMaxCacheTokens) {
    return refuse("cache tokens: ", limits.cache_tokens, kMaxCacheTokens);
  }
  return limits;
}

// The lengths of the batch's sequences before it, so that a failed batch can be taken back.
class Extension {
 public:
  explicit Extension(KvCache& cache) : cache_(cache) {}
  Extension(const Extension&) = delete;
  Extension& operator=(const Extension&) = delete;
  ~Extension() {
    for (const auto& [id, length] : lengths_) cache_.Truncate(id, length);
  }

  [[nodiscard]] Result<void> Extend(std::span<const BatchToken> batch) {
    std::unordered_map<SequenceId, size_t> added;
    for (const BatchToken& row : batch) ++added[row.sequence];
    for (const auto& [id, count] : added) {
      const size_t length = cache_.Length(id);
      VADE_CHECK_OK(cache_.Extend(id, count));
      lengths_.emplace(id, length);
    }
    return {};
  }

  /// The batch's rows with their positions. REQUIRES Extend.
  [[nodiscard]] std::vector<PlacedRow> Place(std::span<const BatchToken> batch) const {
    std::unordered_map<SequenceId, size_t> next = lengths_;
    std::vector<PlacedRow> rows;
    rows.reserve(batch.size());
    for (const BatchToken& row : batch) rows.push_back({row, next[row.sequence]++});
    return rows;
  }

  void Keep() { lengths_.clear(); }

 private:
  KvCache& cache_;
  std::unordered_map<SequenceId, size_t> lengths_;
};

bool AllFinite(std::span<const float> values) noexcept {
  float poison = 0;
  for (const float value : values) poison += value * 0.0f;
  return poison == 0.0f;
}

size_t CountWanted(std::span<const BatchToken> batch) {
  return static_cast<size_t>(
      std::ranges::count_if(batch, [](const BatchToken& row) { return row.wants_logits; }));
}

}  // namespace

Result<Decoder> Decoder::Plan(gguf::File file, const DecoderLimits& limits, size_t team_size,
                              std::optional<DecoderLoader>& loader) {
  Decoder decoder;
  decoder.file_ = std::make_unique<const gguf::File>(std::move(file));
  VADE_TRY(decoder.config_, ReadDecoderConfig(*decoder.file_));
  const DecoderConfig& config = decoder.config_;
  VADE_TRY(decoder.limits_, Settle(*decoder.file_, config, limits));
  VADE_TRY(loader,
           DecoderLoader::Bind(*decoder.file_, config, decoder.limits_.ctx_len, limits.logits));
  decoder.any_f32_ = loader->weights().any_f32;
  decoder.layout_ =
      KvLayout(decoder.limits_.kv_type, config.num_layers, config.num_kv_heads, config.head_dim);
  decoder.memory_ = {.weights = loader->packed_bytes(),
                     .cache = decoder.CachePages() * decoder.layout_.page_bytes(),
                     .scratch = decoder.ScratchBytes(team_size)};
  return decoder;
}

Result<DecoderNeed> Decoder::Measure(gguf::File file, const DecoderLimits& limits,
                                     size_t team_size) {
  std::optional<DecoderLoader> loader;
  VADE_TRY(const Decoder decoder, Plan(std::move(file), limits, team_size, loader));
  return DecoderNeed{decoder.memory_, decoder.limits_.ctx_len, decoder.config_.trained_ctx_len};
}

Result<Decoder> Decoder::Load(gguf::File file, const DecoderLimits& limits,
                              const kernels::KernelTable& kernels, const Team& team) {
  std::optional<DecoderLoader> loader;
  VADE_TRY(Decoder decoder, Plan(std::move(file), limits, team.size(), loader));
  decoder.kernels_ = &kernels;
  const DecoderMemory& need = decoder.memory_;
  if (const uint64_t have = AvailableMemoryBytes(); need.total() > have) {
    return Fail(ErrorCode::kResource,
                decoder.file_->name() + ": needs " + FormatBytes(need.total()) +
                    " of memory (weights " + FormatBytes(need.weights) + ", cache of " +
                    std::to_string(decoder.limits_.cache_tokens) + " tokens " +
                    FormatBytes(need.cache) + ", working memory " + FormatBytes(need.scratch) +
                    "), have " + FormatBytes(have));
  }
  decoder.weights_ = std::move(*loader).Pack(team);
  return decoder;
}

size_t Decoder::CachePages() const noexcept {
  return (limits_.cache_tokens + kKvPageTokens - 1) / kKvPageTokens;
}

KvCache Decoder::MakeCache() const { return {layout_, CachePages(), limits_.ctx_len}; }

uint64_t Decoder::ScratchBytes(size_t team_size) const {
  const size_t rows = limits_.batch_tokens;
  const size_t d = config_.d_model;
  return rows * (3 * d + config_.qkv_dim() + config_.q_dim()) * sizeof(float) +
         tensor::Operand::ReservedBytes(rows, std::max(d, config_.q_dim()), any_f32_) +
         2 * RopeRows::Bytes(rows, config_.rope.dims / 2) +
         FfnScratch::Bytes(config_, rows, team_size, any_f32_) +
         team_size * AttentionTile::Bytes(limits_.ctx_len, config_.head_dim);
}

DecoderScratch Decoder::MakeScratch(size_t team_size) const {
  const size_t rows = limits_.batch_tokens;
  const size_t d = config_.d_model;
  DecoderScratch scratch;
  scratch.hidden = AlignedBuffer<float>(rows * d);
  scratch.normed = AlignedBuffer<float>(rows * d);
  scratch.branch = AlignedBuffer<float>(rows * d);
  scratch.qkv = AlignedBuffer<float>(rows * config_.qkv_dim());
  scratch.context = AlignedBuffer<float>(rows * config_.q_dim());
  scratch.narrow.Reserve(rows, std::max(d, config_.q_dim()), any_f32_);
  scratch.rope.Reserve(rows, weights_->rope.half());
  scratch.local_rope.Reserve(rows, weights_->local_rope.half());
  scratch.ffn.Reserve(config_, rows, team_size, any_f32_);
  scratch.tiles.resize(team_size);
  for (AttentionTile& tile : scratch.tiles) tile.Reserve(limits_.ctx_len, config_.head_dim);
  return scratch;
}

Result<void> Decoder::Check(std::span<const BatchToken> batch, const KvCache& cache,
                            size_t num_logits) const {
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorCode::kInvalidArgument, file_->name() + ": " + why);
  };
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::string where = "row " + std::to_string(i) + ": ";
    if (!cache.Contains(batch[i].sequence)) {
      return refuse(where + "no sequence " + std::to_string(batch[i].sequence));
    }
    const int32_t id = batch[i].token;
    if (id >= 0 && static_cast<size_t>(id) < vocab_size()) continue;
    return refuse(where + "got token id " + std::to_string(id) + ", expected 0 to " +
                  std::to_string(vocab_size() - 1));
  }
  const size_t want = CountWanted(batch) * row_size();
  if (num_logits == want) return {};
  return refuse("got room for " + std::to_string(num_logits) + " logits, want " +
                std::to_string(want));
}

Result<void> Decoder::Forward(std::span<const BatchToken> batch, KvCache& cache, const Team& team,
                              DecoderScratch& scratch, std::span<float> logits,
                              const CancelToken* cancel, PassObserver* observer) const {
  VADE_CHECK(scratch.tiles.size() >= team.size());
  VADE_CHECK_OK(Check(batch, cache, logits.size()));
  Extension extension(cache);
  if (auto extended = extension.Extend(batch); !extended) {
    return Fail(file_->name(), std::move(extended).error());
  }
  const std::vector<PlacedRow> rows = extension.Place(batch);
  float* out = logits.data();
  for (size_t first = 0; first < rows.size(); first += limits_.batch_tokens) {
    const size_t count = std::min(limits_.batch_tokens, rows.size() - first);
    DecoderPass pass({.config = config_,
                      .weights = *weights_,
                      .kernels = *kernels_,
                      .team = team,
                      .cache = cache,
                      .scratch = scratch,
                      .rows = std::span(rows).subspan(first, count),
                      .cancel = cancel,
                      .observer = observer});
    if (!pass.Run(out)) return Fail(ErrorCode::kCancelled, file_->name() + ": cancelled");
    out += CountWanted(batch.subspan(first, count)) * row_size();
  }
  if (!AllFinite(logits)) {
    return Fail(ErrorCode::kInternal, file_->name() + ": non-finite logits");
  }
  extension.Keep();
  return {};
}

}  // namespace vade::model
