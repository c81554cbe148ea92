// EncoderEngine: an immutable embedding model or reranker loaded from a GGUF file, encoder or
// decoder. What `embed` sees of the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"

namespace vade::engine {

using TokenId = int32_t;

struct EncoderOptions {
  size_t num_threads = 0;  // 0: all usable cores
  std::string pooling;  // none, mean, cls, last or rank, whatever the file says; empty: the file's
  // Of a decoder that names none. Empty: such a decoder is refused, for most are no embedders.
  std::string decoder_pooling;
};

/// Thread-safe: forward passes are serialised on one persistent pool.
class EncoderEngine {
 public:
  virtual ~EncoderEngine() = default;

  /// Errors: kCorruptData / kUnsupported naming file, field, got and expected (faults.md 1-15);
  /// kInvalidArgument for a pooling the model cannot do; kResource "needs X, have Y".
  [[nodiscard]] static Result<std::unique_ptr<EncoderEngine>> Load(
      const std::filesystem::path& gguf, const EncoderOptions& options);

  [[nodiscard]] virtual size_t dimension() const = 0;
  [[nodiscard]] virtual size_t context_length() const = 0;  // tokens of the longest text
  /// Tokens of a text, special ones included, that the model was trained for: <= context_length().
  [[nodiscard]] virtual size_t max_text_tokens() const = 0;
  [[nodiscard]] virtual std::string_view name() const = 0;  // general.name
  [[nodiscard]] virtual std::string_view pooling() const = 0;
  [[nodiscard]] virtual uint64_t weights_hash() const = 0;  // XXH3 of the file's bytes

  [[nodiscard]] virtual size_t special_tokens() const = 0;  // what add_special adds to a text

  /// A question and a document as one sequence for a reranker, in the form its file asks for.
  [[nodiscard]] virtual std::vector<TokenId> TokenizePair(std::string_view query,
                                                          std::string_view document) const = 0;

  /// Token ids; with add_special also [CLS] ... [SEP] (or what the vocabulary asks for).
  [[nodiscard]] virtual std::vector<TokenId> Tokenize(std::string_view text, bool add_special,
                                                      bool parse_special) const = 0;
  /// Tokenize(text, false, false).size(), without the ids.
  [[nodiscard]] virtual size_t CountTokens(std::string_view text) const = 0;
  [[nodiscard]] virtual std::optional<TokenId> unknown_token() const = 0;
  [[nodiscard]] virtual std::string Detokenize(std::span<const TokenId> ids) const = 0;

  /// Pooled, L2-normalised vectors of many token sequences, batched across sequences. A reranker
  /// (pooling rank) gives its scores as they are instead; its dimension is their number.
  /// Shapes: out [sequences.size(), dimension()] f32.
  /// Errors: kInvalidArgument for an empty or too long sequence or an id outside the vocabulary
  /// (naming it); kUnsupported if the pooling is none; kInternal "non-finite output"; kCancelled.
  [[nodiscard]] virtual Result<void> Embed(std::span<const std::vector<TokenId>> sequences,
                                           std::span<float> out,
                                           const CancelToken* cancel = nullptr) = 0;

  /// Every token's vector, neither pooled nor normalised, whatever the pooling is.
  /// Shapes: out [sequence.size(), width of the model] f32.
  /// Errors: as Embed.
  [[nodiscard]] virtual Result<std::vector<float>> TokenVectors(
      const std::vector<TokenId>& sequence, const CancelToken* cancel = nullptr) = 0;
};

}  // namespace vade::engine
