// The decoder family: a language model that continues sequences of tokens, one forward pass for
// every architecture in architecture.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/kernels/kernels.h"
#include "engine/model/batch.h"
#include "engine/model/decoder_config.h"
#include "engine/model/decoder_pass.h"
#include "engine/model/decoder_weights.h"
#include "engine/model/kv_cache.h"
#include "engine/model/pass_observer.h"
#include "engine/model/team.h"

namespace vade::model {

struct DecoderLimits {
  size_t ctx_len = 0;       // most tokens of one sequence; 0: the model's, at most 4096
  size_t cache_tokens = 0;  // tokens of all sequences together;
                            // 0: num_sequences * ctx_len + spare_tokens
  size_t num_sequences = 1;
  size_t spare_tokens = 0;
  size_t batch_tokens = 512;  // rows of one pass
  KvType kv_type = KvType::kF16;
  bool logits = true;  // false: a row gives its vector after the last norm (embedders, rerankers);
                       // the output matrix takes no memory
};

/// Immutable; const-safe from any thread, each pass with its own cache and scratch.
class Decoder {
 public:
  /// Keeps the file: token rows are read from its mapping. `team` packs the weights, and no larger
  /// one runs the passes.
  /// Errors: ReadDecoderConfig's and DecoderLoader::Bind's; kInvalidArgument for a ctx_len the
  /// model was not trained for; kResource "needs X, have Y".
  [[nodiscard]] static Result<Decoder> Load(gguf::File file, const DecoderLimits& limits,
                                            const kernels::KernelTable& kernels, const Team& team);

  /// What Load with a team of that size would take; nothing is packed.
  /// Errors: Load's without kResource.
  [[nodiscard]] static Result<DecoderNeed> Measure(gguf::File file, const DecoderLimits& limits,
                                                   size_t team_size);

  [[nodiscard]] const gguf::File& file() const noexcept { return *file_; }
  [[nodiscard]] const DecoderConfig& config() const noexcept { return config_; }
  [[nodiscard]] const DecoderLimits& limits() const noexcept { return limits_; }  // no zeros
  [[nodiscard]] const DecoderMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] size_t vocab_size() const noexcept { return weights_->tokens.rows(); }
  /// Values that Forward gives for a row.
  [[nodiscard]] size_t row_size() const noexcept {
    return limits_.logits ? vocab_size() : config_.d_model;
  }
  /// Empty unless the model is a reranker.
  [[nodiscard]] const RankHead& rank() const noexcept { return weights_->rank; }

  [[nodiscard]] KvCache MakeCache() const;
  [[nodiscard]] DecoderScratch MakeScratch(size_t team_size) const;

  /// Appends every row's token to its sequence and computes the logits of the rows that want them.
  /// Runs in passes of limits().batch_tokens rows.
  /// Shapes: logits [number of such rows, row_size()] f32.
  /// Errors, each leaving every sequence as it was: kInvalidArgument for an unknown sequence, an
  /// id outside the vocabulary, too long a sequence or logits of another size; kResource when the
  /// cache is full; kInternal "non-finite logits"; kCancelled.
  [[nodiscard]] Result<void> Forward(std::span<const BatchToken> batch, KvCache& cache,
                                     const Team& team, DecoderScratch& scratch,
                                     std::span<float> logits, const CancelToken* cancel = nullptr,
                                     PassObserver* observer = nullptr) const;

 private:
  Decoder() = default;
  /// All but the weights, which `loader` has bound.
  [[nodiscard]] static Result<Decoder> Plan(gguf::File file, const DecoderLimits& limits,
                                            size_t team_size, std::optional<DecoderLoader>& loader);
  [[nodiscard]] Result<void> Check(std::span<const BatchToken> batch, const KvCache& cache,
                                   size_t num_logits) const;
  [[nodiscard]] uint64_t ScratchBytes(size_t team_size) const;
  [[nodiscard]] size_t CachePages() const noexcept;

  std::unique_ptr<const gguf::File> file_;
  DecoderConfig config_;
  DecoderLimits limits_;
  DecoderMemory memory_;
  KvLayout layout_;
  bool any_f32_ = false;
  std::unique_ptr<const DecoderWeights> weights_;
  const kernels::KernelTable* kernels_ = nullptr;
};

}  // namespace vade::model
