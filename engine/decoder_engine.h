// DecoderEngine: an immutable language model loaded from a GGUF file, with the sequences it is
// working on. What the runtime (sampling, generation loops) sees of the engine: tokens in, logits
// out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/model/batch.h"
#include "engine/model/decoder_trace.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {

using tokenizer::TokenId;

using model::BatchToken;
using model::DecoderMemory;
using model::DecoderNeed;
using model::DecoderTrace;
using model::KvType;
using model::RopeTrace;
using model::SequenceId;

struct DecoderOptions {
  size_t num_threads = 0;     // 0: all usable cores
  size_t context_length = 0;  // most tokens of one sequence; 0: the model's, at most 4096
  size_t cache_tokens = 0;    // tokens kept for all sequences together; 0: context_length
  size_t num_sequences = 1;   // when cache_tokens is 0: so many full contexts are kept
  size_t spare_tokens = 0;    // and these besides: for a further, short sequence
  size_t batch_tokens = 512;  // rows of one pass: more is faster and takes more working memory
  KvType kv_type = KvType::kF16;
};

/// Room for keys and values, in pages; a sequence's last page is its own or copied before it grows.
struct CachePages {
  size_t page_tokens = 1;
  size_t total = 0;
  size_t used = 0;
};

/// Single-thread: one caller at a time. The const members are safe beside each other.
class DecoderEngine {
 public:
  virtual ~DecoderEngine() = default;

  /// Errors: kCorruptData / kUnsupported naming file, field, got and expected (faults.md 1-15);
  /// kInvalidArgument for options the model cannot meet; kResource "needs X, have Y".
  [[nodiscard]] static Result<std::unique_ptr<DecoderEngine>> Load(
      const std::filesystem::path& gguf, const DecoderOptions& options);

  /// What Load would take, without taking it. Errors: Load's for the model, without kResource.
  [[nodiscard]] static Result<DecoderNeed> Measure(const std::filesystem::path& gguf,
                                                   const DecoderOptions& options);

  [[nodiscard]] virtual const tokenizer::Tokenizer& tokenizer() const = 0;
  [[nodiscard]] virtual size_t vocab_size() const = 0;      // logits in a row
  [[nodiscard]] virtual size_t context_length() const = 0;  // most tokens of one sequence
  [[nodiscard]] virtual size_t trained_context_length() const = 0;
  [[nodiscard]] virtual std::string_view name() const = 0;           // general.name
  [[nodiscard]] virtual std::string_view architecture() const = 0;   // general.architecture
  [[nodiscard]] virtual std::string_view chat_template() const = 0;  // Jinja text; may be empty
  [[nodiscard]] virtual const DecoderMemory& memory() const = 0;
  [[nodiscard]] virtual size_t num_threads() const = 0;

  /// An empty sequence. Costs nothing until tokens come.
  [[nodiscard]] virtual SequenceId NewSequence() = 0;
  /// A sequence that begins with the first `length` tokens of another; they are shared until one
  /// of the two writes. REQUIRES a live id, length <= Length(id).
  [[nodiscard]] virtual SequenceId Fork(SequenceId id, size_t length) = 0;
  /// Forgets all tokens past the first `length`. REQUIRES a live id, length <= Length(id).
  virtual void Truncate(SequenceId id, size_t length) = 0;
  /// Ends a sequence and gives its pages back. REQUIRES a live id.
  virtual void Remove(SequenceId id) = 0;
  [[nodiscard]] virtual size_t Length(SequenceId id) const = 0;
  /// Tokens that can still be appended to this sequence while no other one grows.
  [[nodiscard]] virtual size_t Room(SequenceId id) const = 0;

  [[nodiscard]] virtual CachePages cache_pages() const = 0;

  /// body(i) for i in [0, count), side by side on the engine's threads.
  virtual void ForEach(size_t count, const std::function<void(size_t)>& body) {
    for (size_t i = 0; i < count; ++i) body(i);
  }

  /// Appends every row's token to its sequence; rows of one sequence in their order, rows of
  /// different sequences mixed at will. Runs in passes of batch_tokens rows.
  /// Returns: the logits of the rows that want them, in batch order, [num_wanted, vocab_size()]
  /// f32, valid until the next call.
  /// Errors, each leaving every sequence as it was: kInvalidArgument for an unknown sequence, an id
  /// outside the vocabulary or a sequence longer than context_length(); kResource when the cache is
  /// full; kInternal "non-finite logits"; kCancelled (looked at in every layer).
  [[nodiscard]] virtual Result<std::span<const float>> Forward(
      std::span<const BatchToken> batch, const CancelToken* cancel = nullptr) = 0;

  /// Computes a short text by itself and keeps what happened on the way; the logits are those
  /// Forward gives. Slower than Forward, and no sequence is touched.
  /// Errors: kInvalidArgument for no tokens; kResource for more than kMaxTracedTokens or too much
  /// memory; Forward's; kUnsupported from an engine whose inside cannot be seen.
  [[nodiscard]] virtual Result<DecoderTrace> Trace(std::span<const TokenId> tokens,
                                                   const CancelToken* cancel = nullptr);
};

}  // namespace vade::engine
