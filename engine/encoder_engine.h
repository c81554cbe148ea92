// EncoderEngine: an immutable embedding model loaded from a GGUF file. What `embed` sees of the
// engine.
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
};

/// Thread-safe: forward passes are serialised on one persistent pool.
class EncoderEngine {
 public:
  virtual ~EncoderEngine() = default;

  /// Errors: kCorruptData / kUnsupported naming file, field, got and expected (faults.md 1-15);
  /// kResource "needs X, have Y".
  [[nodiscard]] static Result<std::unique_ptr<EncoderEngine>> Load(
      const std::filesystem::path& gguf, const EncoderOptions& options);

  [[nodiscard]] virtual size_t dimension() const = 0;
  [[nodiscard]] virtual size_t context_length() const = 0;  // positions the model has
  /// Tokens of a text, special ones included, that the model was trained for: <= context_length().
  [[nodiscard]] virtual size_t max_text_tokens() const = 0;
  [[nodiscard]] virtual std::string_view name() const = 0;  // general.name
  [[nodiscard]] virtual std::string_view pooling() const = 0;
  [[nodiscard]] virtual uint64_t weights_hash() const = 0;  // XXH3 of the file's bytes

  [[nodiscard]] virtual size_t special_tokens() const = 0;  // what add_special adds to a text

  /// Token ids; with add_special also [CLS] ... [SEP] (or what the vocabulary asks for).
  [[nodiscard]] virtual std::vector<TokenId> Tokenize(std::string_view text, bool add_special,
                                                      bool parse_special) const = 0;
  /// Tokenize(text, false, false).size(), without the ids.
  [[nodiscard]] virtual size_t CountTokens(std::string_view text) const = 0;
  [[nodiscard]] virtual std::optional<TokenId> unknown_token() const = 0;
  [[nodiscard]] virtual std::string Detokenize(std::span<const TokenId> ids) const = 0;

  /// Pooled, L2-normalised vectors of many token sequences, batched across sequences. A reranker
  /// (pooling rank) gives its raw scores instead; its dimension is their number.
  /// Shapes: out [sequences.size(), dimension()] f32.
  /// Errors: kInvalidArgument for an empty or too long sequence or an id outside the vocabulary
  /// (naming it); kInternal "non-finite output"; kCancelled.
  [[nodiscard]] virtual Result<void> Embed(std::span<const std::vector<TokenId>> sequences,
                                           std::span<float> out,
                                           const CancelToken* cancel = nullptr) = 0;
};

}  // namespace vade::engine
