#include "engine/encoder_engine.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>

#include "engine/base/memory_info.h"
#include "engine/base/thread_pool.h"
#include "engine/gguf/file.h"
#include "engine/kernels/kernels.h"
#include "engine/model/encoder.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {
namespace {

// Tokens of one pass. Large enough that streaming all weights once per pass costs nothing, small
// enough that its activations (about 8 kB a token for 384 columns) stay in the second cache.
constexpr size_t kPassTokens = 192;

// Below this a second thread costs more than it brings.
constexpr size_t kTeamTokens = 48;

uint64_t HashOf(const gguf::File& file) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  for (const std::span<const std::byte> part : file.parts()) {
    XXH3_64bits_update(state, part.data(), part.size());
  }
  const uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return hash;
}

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

class LocalEncoder final : public EncoderEngine {
 public:
  LocalEncoder(std::string name, uint64_t hash, model::Encoder encoder,
               std::unique_ptr<tokenizer::Tokenizer> tokenizer, size_t num_threads)
      : name_(std::move(name)),
        hash_(hash),
        encoder_(std::move(encoder)),
        tokenizer_(std::move(tokenizer)),
        pool_(num_threads),
        scratch_(pool_.num_threads()) {}

  [[nodiscard]] size_t dimension() const override { return encoder_.output_dim(); }
  [[nodiscard]] size_t context_length() const override { return encoder_.config().ctx_len; }
  [[nodiscard]] size_t max_text_tokens() const override {
    return encoder_.config().max_text_tokens;
  }
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string_view pooling() const override {
    return model::PoolingName(encoder_.config().pooling);
  }
  [[nodiscard]] uint64_t weights_hash() const override { return hash_; }
  [[nodiscard]] size_t special_tokens() const override { return tokenizer_->num_added(); }

  [[nodiscard]] std::vector<TokenId> Tokenize(std::string_view text, bool add_special,
                                              bool parse_special) const override {
    return tokenizer_->Encode(text, add_special, parse_special);
  }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override {
    return tokenizer_->Count(text);
  }
  [[nodiscard]] std::optional<TokenId> unknown_token() const override {
    return tokenizer_->special_ids().unk;
  }
  [[nodiscard]] std::string Detokenize(std::span<const TokenId> ids) const override {
    return tokenizer_->Decode(ids, {});
  }

  [[nodiscard]] Result<void> Embed(std::span<const std::vector<TokenId>> sequences,
                                   std::span<float> out, const CancelToken* cancel) override;

 private:
  [[nodiscard]] Result<void> Check(std::span<const std::vector<TokenId>> sequences,
                                   size_t out_size) const;
  [[nodiscard]] Result<void> Reserve(std::span<const Pass> passes, size_t num_scratches,
                                     size_t team_size);
  void RunPass(const Pass& pass, const model::Team& team, model::EncoderScratch& scratch,
               std::span<float> out) const;
  [[nodiscard]] Result<void> Finish(std::span<float> out) const;

  const std::string name_;
  const uint64_t hash_;
  const model::Encoder encoder_;
  const std::unique_ptr<tokenizer::Tokenizer> tokenizer_;
  std::mutex mutex_;  // one Embed at a time: guards the pool and the scratch
  ThreadPool pool_;
  std::vector<model::EncoderScratch> scratch_;  // one per thread; the first also serves a team
};

Result<void> LocalEncoder::Check(std::span<const std::vector<TokenId>> sequences,
                                 size_t out_size) const {
  if (out_size != sequences.size() * dimension()) {
    return Fail(ErrorCode::kInvalidArgument,
                name_ + ": got room for " + std::to_string(out_size) + " values, want " +
                    std::to_string(sequences.size()) + " x " + std::to_string(dimension()));
  }
  for (size_t i = 0; i < sequences.size(); ++i) {
    const std::string where = name_ + ": text " + std::to_string(i) + ": ";
    if (sequences[i].empty()) return Fail(ErrorCode::kInvalidArgument, where + "no tokens");
    if (sequences[i].size() > context_length()) {
      return Fail(ErrorCode::kInvalidArgument,
                  where + "got " + std::to_string(sequences[i].size()) + " tokens, the model has " +
                      std::to_string(context_length()) + " positions");
    }
    for (const TokenId id : sequences[i]) {
      if (id >= 0 && static_cast<size_t>(id) < encoder_.vocab_size()) continue;
      return Fail(ErrorCode::kInvalidArgument, where + "got token id " + std::to_string(id) +
                                                   ", expected 0 to " +
                                                   std::to_string(encoder_.vocab_size() - 1));
    }
  }
  return {};
}

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
    return Fail(ErrorCode::kResource, name_ + ": a text of " + std::to_string(longest) +
                                          " tokens needs " + FormatBytes(need) +
                                          " of memory, have " + FormatBytes(have));
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

// Unit length, or the reason why not.
Result<void> LocalEncoder::Finish(std::span<float> out) const {
  const bool normalise = encoder_.config().pooling != model::Pooling::kRank;
  for (size_t i = 0; i < out.size(); i += dimension()) {
    const std::span<float> row = out.subspan(i, dimension());
    double squares = 0;
    for (const float value : row) squares += double{value} * double{value};
    if (!std::isfinite(squares) || (normalise && squares == 0)) {
      return Fail(ErrorCode::kInternal,
                  name_ + ": text " + std::to_string(i / dimension()) + ": non-finite output");
    }
    if (!normalise) continue;
    const double inverse = 1.0 / std::sqrt(squares);
    for (float& value : row) value = static_cast<float>(double{value} * inverse);
  }
  return {};
}

Result<void> LocalEncoder::Embed(std::span<const std::vector<TokenId>> sequences,
                                 std::span<float> out, const CancelToken* cancel) {
  VADE_CHECK_OK(Check(sequences, out.size()));
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
    const bool alone = total < kTeamTokens || num_threads == 1;
    const model::Team team = alone ? model::Team() : model::Team(pool_);
    VADE_CHECK_OK(Reserve(passes, 1, team.size()));
    for (size_t i = 0; i < passes.size() && !cancelled(); ++i) {
      RunPass(passes[i], team, scratch_[0], out);
    }
  }
  if (cancelled()) return Fail(ErrorCode::kCancelled, name_ + ": cancelled");
  return Finish(out);
}

std::string NameOf(const gguf::File& file, const std::filesystem::path& path) {
  const auto name = file.Find<std::string_view>("general.name");
  if (name && *name && !(*name)->empty()) return std::string(**name);
  return path.stem().string();
}

}  // namespace

Result<std::unique_ptr<EncoderEngine>> EncoderEngine::Load(const std::filesystem::path& gguf,
                                                           const EncoderOptions& options) {
  VADE_TRY(const kernels::Isa isa, kernels::SelectIsa());
  VADE_TRY(const gguf::File file, gguf::File::Open(gguf));
  VADE_TRY(auto encoder, model::Encoder::Load(file, kernels::KernelsFor(isa)));
  if (encoder.config().pooling == model::Pooling::kNone) {
    return Fail(ErrorCode::kUnsupported,
                file.name() +
                    ": pooling_type is none: the model gives a vector per token, not one "
                    "per text");
  }
  VADE_TRY(auto tokenizer, tokenizer::Tokenizer::Load(file));
  if (tokenizer->vocab_size() != encoder.vocab_size()) {
    return file.TensorError("token_embd.weight", "got " + std::to_string(encoder.vocab_size()) +
                                                     " rows, want " +
                                                     std::to_string(tokenizer->vocab_size()) +
                                                     ", the size of the vocabulary");
  }
  return std::make_unique<LocalEncoder>(NameOf(file, gguf), HashOf(file), std::move(encoder),
                                        std::move(tokenizer), options.num_threads);
}

}  // namespace vade::engine
