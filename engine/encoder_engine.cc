#include "engine/encoder_engine.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <optional>

#include "engine/base/memory_info.h"
#include "engine/base/thread_pool.h"
#include "engine/gguf/file.h"
#include "engine/kernels/kernels.h"
#include "engine/model/architecture.h"
#include "engine/model/encoder.h"
#include "engine/pooled_decoder.h"
#include "engine/text_encoder.h"

namespace vade::engine {
namespace {

// Tokens of one pass. Large enough that streaming all weights once per pass costs nothing, small
// enough that its activations (about 8 kB a token for 384 columns) stay in the second cache.
constexpr size_t kPassTokens = 192;

// Below this a second thread costs more than it brings.
constexpr size_t kTeamTokens = 48;

struct Pass {
  model::TokenBatch batch;
  std::vector<size_t> sequences;  // their indices in the call
};

// Sequences sorted by length, longest first (the last passes to run are then the shortest, so the
// threads end together), put into passes of about `tokens` tokens.
std::vector<Pass> PlanPasses(std::span<const std::vector<TokenId>> sequences, size_t tokens) {
  std::vector<size_t> order(sequences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sequences[a].size() > sequences[b].size(); });
  std::vector<Pass> passes;
  for (const size_t i : order) {
    const size_t length = sequences[i].size();
    if (passes.empty() || passes.back().batch.num_tokens() + length > tokens) {
      passes.emplace_back();
    }
    passes.back().batch.Add(sequences[i]);
    passes.back().sequences.push_back(i);
  }
  return passes;
}

class LocalEncoder final : public TextEncoder {
 public:
  LocalEncoder(Traits traits, TextParts parts, model::Encoder encoder, size_t num_threads)
      : TextEncoder(std::move(traits), std::move(parts)),
        encoder_(std::move(encoder)),
        pool_(num_threads),
        scratch_(pool_.num_threads()) {}

  [[nodiscard]] Result<void> Embed(std::span<const std::vector<TokenId>> sequences,
                                   std::span<float> out, const CancelToken* cancel) override;
  [[nodiscard]] Result<std::vector<float>> TokenVectors(const std::vector<TokenId>& sequence,
                                                        const CancelToken* cancel) override;

 private:
  [[nodiscard]] Result<void> Reserve(std::span<const Pass> passes, size_t num_scratches,
                                     size_t team_size);
  void RunPass(const Pass& pass, const model::Team& team, model::EncoderScratch& scratch,
               std::span<float> out) const;
  [[nodiscard]] model::Team TeamFor(size_t num_tokens);

  const model::Encoder encoder_;
  std::mutex mutex_;  // one Embed at a time: guards the pool and the scratch
  ThreadPool pool_;
  std::vector<model::EncoderScratch> scratch_;  // one per thread; the first also serves a team
};

Result<void> LocalEncoder::Reserve(std::span<const Pass> passes, size_t num_scratches,
                                   size_t team_size) {
  size_t num_tokens = 0;
  size_t longest = 0;
  for (const Pass& pass : passes) {
    num_tokens = std::max(num_tokens, pass.batch.num_tokens());
    longest = std::max(longest, pass.batch.longest());
  }
  const uint64_t need = num_scratches * encoder_.ScratchBytes(num_tokens, longest, team_size);
  if (const uint64_t have = AvailableMemoryBytes(); need > have) {
    return Fail(ErrorCode::kResource,
                std::string(name()) + ": a text of " + std::to_string(longest) + " tokens needs " +
                    FormatBytes(need) + " of memory, have " + FormatBytes(have));
  }
  for (size_t i = 0; i < num_scratches; ++i) {
    encoder_.Reserve(num_tokens, longest, team_size, scratch_[i]);
  }
  return {};
}

void LocalEncoder::RunPass(const Pass& pass, const model::Team& team,
                           model::EncoderScratch& scratch, std::span<float> out) const {
  encoder_.Forward(pass.batch, team, scratch);
  const size_t d_model = encoder_.config().d_model;
  for (size_t i = 0; i < pass.sequences.size(); ++i) {
    const std::span<const float> hidden(scratch.hidden.data() + pass.batch.starts[i] * d_model,
                                        pass.batch.length(i) * d_model);
    encoder_.Pool(hidden, out.subspan(pass.sequences[i] * dimension(), dimension()));
  }
}

model::Team LocalEncoder::TeamFor(size_t num_tokens) {
  const bool alone = num_tokens < kTeamTokens || pool_.num_threads() == 1;
  return alone ? model::Team() : model::Team(pool_);
}

Result<void> LocalEncoder::Embed(std::span<const std::vector<TokenId>> sequences,
                                 std::span<float> out, const CancelToken* cancel) {
  VADE_CHECK_OK(CheckBatch(sequences, out.size()));
  if (sequences.empty()) return {};
  const std::lock_guard lock(mutex_);
  const auto cancelled = [&] { return cancel != nullptr && cancel->cancelled(); };
  const size_t num_threads = pool_.num_threads();
  size_t total = 0;
  for (const std::vector<TokenId>& sequence : sequences) total += sequence.size();
  const size_t share = (total + num_threads - 1) / num_threads;
  const std::vector<Pass> passes = PlanPasses(sequences, std::min(kPassTokens, share));
  if (passes.size() >= num_threads && total >= kTeamTokens) {
    // Every thread runs whole passes by itself: no barrier inside.
    VADE_CHECK_OK(Reserve(passes, num_threads, 1));
    std::atomic<size_t> next{0};
    pool_.Run([&](size_t thread_idx) {
      for (size_t i; !cancelled() && (i = next.fetch_add(1)) < passes.size();) {
        RunPass(passes[i], model::Team(), scratch_[thread_idx], out);
      }
    });
  } else {
    const model::Team team = TeamFor(total);
    VADE_CHECK_OK(Reserve(passes, 1, team.size()));
    for (size_t i = 0; i < passes.size() && !cancelled(); ++i) {
      RunPass(passes[i], team, scratch_[0], out);
    }
  }
  if (cancelled()) return Fail(ErrorCode::kCancelled, std::string(name()) + ": cancelled");
  return Finish(out);
}

Result<std::vector<float>> LocalEncoder::TokenVectors(const std::vector<TokenId>& sequence,
                                                      const CancelToken* /*cancel*/) {
  VADE_CHECK_OK(CheckSequence(sequence, 0));
  const std::lock_guard lock(mutex_);
  Pass pass;
  pass.batch.Add(sequence);
  const model::Team team = TeamFor(sequence.size());
  VADE_CHECK_OK(Reserve({&pass, 1}, 1, team.size()));
  encoder_.Forward(pass.batch, team, scratch_[0]);
  const float* hidden = scratch_[0].hidden.data();
  return std::vector<float>(hidden, hidden + sequence.size() * encoder_.config().d_model);
}

Result<std::optional<model::Pooling>> PoolingNamed(const std::string& name) {
  if (name.empty()) return std::optional<model::Pooling>();
  const auto pooling = model::FindPooling(name);
  if (pooling) return pooling;
  return Fail(ErrorCode::kInvalidArgument,
              "pooling: got '" + name + "', want none, mean, cls, last or rank");
}

}  // namespace

Result<std::unique_ptr<EncoderEngine>> EncoderEngine::Load(const std::filesystem::path& gguf,
                                                           const EncoderOptions& options) {
  VADE_TRY(const kernels::Isa isa, kernels::SelectIsa());
  VADE_TRY(gguf::File file, gguf::File::Open(gguf));
  VADE_TRY(const auto pooling, PoolingNamed(options.pooling));
  VADE_TRY(const auto architecture, file.Require<std::string_view>("general.architecture"));
  if (model::FindDecoder(architecture) != nullptr) {
    VADE_TRY(const auto fallback, PoolingNamed(options.decoder_pooling));
    return LoadPooledDecoder(std::move(file), gguf,
                             {.pooling = pooling, .fallback = fallback, .isa = isa},
                             options.num_threads);
  }
  VADE_TRY(auto encoder, model::Encoder::Load(file, kernels::KernelsFor(isa), pooling));
  VADE_TRY(auto parts, TextParts::Load(file, encoder.vocab_size()));
  const model::EncoderConfig& config = encoder.config();
  return std::make_unique<LocalEncoder>(
      TextEncoder::Traits{.name = ModelName(file, gguf),
                          .hash = HashOf(file),
                          .pooling = config.pooling,
                          .dimension = encoder.output_dim(),
                          .ctx_len = config.ctx_len,
                          .max_text_tokens = config.max_text_tokens},
      std::move(parts), std::move(encoder), options.num_threads);
}

}  // namespace vade::engine
