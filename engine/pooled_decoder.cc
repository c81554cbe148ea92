#include "engine/pooled_decoder.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/thread_pool.h"
#include "engine/model/decoder.h"
#include "engine/text_encoder.h"

namespace vade::engine {
namespace {

using model::Pooling;

// Tokens of one pass: weights are read once for all of them.
constexpr size_t kPassTokens = 512;

// Which of a sequence's tokens the pooling reads.
enum class Reads { kAll, kFirst, kLast };

Reads ReadsOf(Pooling pooling, const model::DecoderFacts& facts) noexcept {
  switch (pooling) {
    case Pooling::kNone:
    case Pooling::kMean:
      return Reads::kAll;
    case Pooling::kCls:
      return Reads::kFirst;
    case Pooling::kLast:
      return Reads::kLast;
    case Pooling::kRank:
      return facts.ranks_by_last ? Reads::kLast : Reads::kFirst;
  }
  return Reads::kAll;
}

void Softmax(std::span<float> x) noexcept {
  const float highest = *std::ranges::max_element(x);
  double sum = 0;
  for (float& value : x) sum += value = std::exp(value - highest);
  for (float& value : x) value = static_cast<float>(value / sum);
}

class PooledDecoder final : public TextEncoder {
 public:
  PooledDecoder(Traits traits, TextParts parts, std::unique_ptr<ThreadPool> pool,
                model::Decoder decoder, const kernels::KernelTable& kernels)
      : TextEncoder(std::move(traits), std::move(parts)),
        pool_(std::move(pool)),
        decoder_(std::move(decoder)),
        kernels_(kernels),
        reads_(ReadsOf(this->traits().pooling, *decoder_.config().facts)),
        cache_(decoder_.MakeCache()),
        scratch_(decoder_.MakeScratch(pool_->num_threads())) {}

  [[nodiscard]] Result<void> Embed(std::span<const std::vector<TokenId>> sequences,
                                   std::span<float> out, const CancelToken* cancel) override;
  [[nodiscard]] Result<std::vector<float>> TokenVectors(const std::vector<TokenId>& sequence,
                                                        const CancelToken* cancel) override;

 private:
  // The rows that are read, of all sequences behind each other. REQUIRES room in the cache.
  [[nodiscard]] Result<std::vector<float>> Forward(std::span<const std::vector<TokenId>> sequences,
                                                   Reads reads, const CancelToken* cancel);
  [[nodiscard]] size_t CountThatFit(std::span<const std::vector<TokenId>> sequences) const;
  void Pool(std::span<const float> hidden, std::span<float> out) const;

  const std::unique_ptr<ThreadPool> pool_;
  const model::Decoder decoder_;
  const kernels::KernelTable& kernels_;
  const Reads reads_;
  std::mutex mutex_;  // one Embed at a time: guards the pool, the cache and the scratch
  model::KvCache cache_;
  model::DecoderScratch scratch_;
};

// How many of the first sequences go into one pass: at least one.
size_t PooledDecoder::CountThatFit(std::span<const std::vector<TokenId>> sequences) const {
  size_t tokens = 0;
  size_t pages = 0;
  for (size_t i = 0; i < sequences.size(); ++i) {
    tokens += sequences[i].size();
    pages += (sequences[i].size() + model::kKvPageTokens - 1) / model::kKvPageTokens;
    if (i > 0 && (tokens > kPassTokens || pages > cache_.num_pages())) return i;
  }
  return sequences.size();
}

Result<std::vector<float>> PooledDecoder::Forward(std::span<const std::vector<TokenId>> sequences,
                                                  Reads reads, const CancelToken* cancel) {
  struct Ids {  // gone with the pass, whatever happens
    model::KvCache& cache;
    std::vector<model::SequenceId> ids;
    ~Ids() {
      for (const model::SequenceId id : ids) cache.Remove(id);
    }
  } live{cache_, {}};
  std::vector<model::BatchToken> batch;
  size_t num_wanted = 0;
  for (const std::vector<TokenId>& sequence : sequences) {
    live.ids.push_back(cache_.Add());
    for (size_t i = 0; i < sequence.size(); ++i) {
      const bool wanted = reads == Reads::kAll || (reads == Reads::kFirst && i == 0) ||
                          (reads == Reads::kLast && i + 1 == sequence.size());
      num_wanted += wanted ? 1 : 0;
      batch.push_back({live.ids.back(), sequence[i], wanted});
    }
  }
  std::vector<float> out(num_wanted * decoder_.row_size());
  const model::Team team = pool_->num_threads() == 1 ? model::Team() : model::Team(*pool_);
  VADE_CHECK_OK(decoder_.Forward(batch, cache_, team, scratch_, out, cancel));
  return out;
}

// hidden holds the rows that are read of one sequence.
void PooledDecoder::Pool(std::span<const float> hidden, std::span<float> out) const {
  if (traits().pooling != Pooling::kRank) {
    return model::PoolTokens(kernels_, reads_ == Reads::kAll ? Pooling::kMean : Pooling::kCls,
                             hidden, out);
  }
  decoder_.rank().Run(kernels_, hidden, out);
  if (decoder_.config().facts->ranks_by_last) Softmax(out);
}

Result<void> PooledDecoder::Embed(std::span<const std::vector<TokenId>> sequences,
                                  std::span<float> out, const CancelToken* cancel) {
  VADE_CHECK_OK(CheckBatch(sequences, out.size()));
  const std::lock_guard lock(mutex_);
  const size_t width = decoder_.row_size();
  for (size_t first = 0; first < sequences.size();) {
    const auto pass = sequences.subspan(first).first(CountThatFit(sequences.subspan(first)));
    VADE_TRY(const std::vector<float> rows, Forward(pass, reads_, cancel));
    size_t at = 0;
    for (size_t i = 0; i < pass.size(); ++i) {
      const size_t size = (reads_ == Reads::kAll ? pass[i].size() : 1) * width;
      Pool(std::span(rows).subspan(at, size), out.subspan((first + i) * dimension(), dimension()));
      at += size;
    }
    first += pass.size();
  }
  return Finish(out);
}

Result<std::vector<float>> PooledDecoder::TokenVectors(const std::vector<TokenId>& sequence,
                                                       const CancelToken* cancel) {
  VADE_CHECK_OK(CheckSequence(sequence, 0));
  const std::lock_guard lock(mutex_);
  return Forward({&sequence, 1}, Reads::kAll, cancel);
}

Result<Pooling> SettlePooling(const gguf::File& file, const PooledDecoderOptions& options) {
  if (options.pooling) return *options.pooling;
  VADE_TRY(const auto architecture, file.Require<std::string_view>("general.architecture"));
  VADE_TRY(const auto own, model::ReadPooling(file, architecture));
  if (own) return *own;
  if (options.fallback) return *options.fallback;
  return Fail(ErrorCode::kUnsupported,
              file.name() + ": key " + std::string(architecture) +
                  ".pooling_type: missing: a language model, not one for embeddings");
}

}  // namespace

Result<std::unique_ptr<EncoderEngine>> LoadPooledDecoder(gguf::File file,
                                                         const std::filesystem::path& path,
                                                         const PooledDecoderOptions& options,
                                                         size_t num_threads) {
  VADE_TRY(const Pooling pooling, SettlePooling(file, options));
  auto pool = std::make_unique<ThreadPool>(num_threads);
  const kernels::KernelTable& kernels = kernels::KernelsFor(options.isa);
  TextEncoder::Traits traits{
      .name = ModelName(file, path), .hash = HashOf(file), .pooling = pooling};
  const model::DecoderLimits limits{
      .batch_tokens = kPassTokens, .kv_type = model::KvType::kF32, .logits = false};
  VADE_TRY(auto decoder,
           model::Decoder::Load(std::move(file), limits, kernels, model::Team(*pool)));
  if (pooling == Pooling::kRank && decoder.rank().empty()) {
    return decoder.file().TensorError("cls.output.weight", "missing, pooling is rank");
  }
  VADE_TRY(auto parts, TextParts::Load(decoder.file(), decoder.vocab_size()));
  traits.dimension = pooling == Pooling::kRank ? decoder.rank().num_labels() : decoder.row_size();
  traits.ctx_len = traits.max_text_tokens = decoder.limits().ctx_len;
  return std::make_unique<PooledDecoder>(std::move(traits), std::move(parts), std::move(pool),
                                         std::move(decoder), kernels);
}

}  // namespace vade::engine
