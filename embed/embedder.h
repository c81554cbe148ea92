// Embedder: text -> unit vectors, by a local GGUF model or a server. Batching, query/passage
// prefixes, fingerprint.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"

namespace vade::embed {

struct EmbedderOptions {
  std::filesystem::path model;  // GGUF, ollama://... or openai://...; empty: FindDefaultModel()
  size_t num_threads = 0;  // 0: all usable cores
  size_t max_tokens = 0;   // per text, special tokens included; 0: the model's own limit,
                           // 256 for all-MiniLM-L6-v2 (what it was trained and measured at)
  // Both are part of the fingerprint. Both empty: what the model is known to want (KnownPrefixes),
  // "query: " and "passage: " for e5 and so on.
  std::string query_prefix;
  std::string passage_prefix;
};

/// Thread-safe: calls of a local one are serialised on the engine's thread pool.
class Embedder {
 public:
  virtual ~Embedder() = default;

  [[nodiscard]] static Result<std::unique_ptr<Embedder>> Open(const EmbedderOptions& options);

  [[nodiscard]] virtual size_t dimension() const = 0;
  [[nodiscard]] virtual size_t max_tokens() const = 0;
  /// Tokens that a passage costs beside its own: special ones and the prefix.
  [[nodiscard]] virtual size_t special_tokens() const = 0;
  /// Human-readable identity: model name and hash, dimension, pooling, prefixes, normalisation.
  /// Two embedders with equal fingerprints give comparable vectors.
  [[nodiscard]] virtual const std::string& fingerprint() const = 0;

  /// Tokens of `text`, without special tokens and prefix.
  [[nodiscard]] virtual size_t CountTokens(std::string_view text) const = 0;

  /// Share of the text's letters, in [0, 1], that the vocabulary knows as parts of words: neither
  /// unknown nor spelt letter by letter. Korean through an English vocabulary is about 0; the
  /// retriever trusts the dense arm accordingly. 1 for a text without letters.
  [[nodiscard]] virtual double Coverage(std::string_view text) const {
    (void)text;
    return 1;
  }

  /// Shapes: out [texts.size(), dimension()] f32, each row of unit length.
  /// Errors: kInvalidArgument if a text is longer than max_tokens (nothing is truncated unseen);
  /// kCancelled; kInternal for non-finite output.
  [[nodiscard]] virtual Result<void> EmbedPassages(std::span<const std::string_view> texts,
                                                   std::span<float> out,
                                                   const CancelToken* cancel = nullptr) = 0;

  /// A question, with the query prefix. Longer than max_tokens: kInvalidArgument.
  [[nodiscard]] virtual Result<std::vector<float>> EmbedQuery(std::string_view text) = 0;
};

/// $VADE_MODEL, else all-MiniLM-L6-v2.Q8_0.gguf in $VADE_DATA, beside the executable
/// (../share/vade/models), or in the source tree's data/models.
[[nodiscard]] Result<std::filesystem::path> FindDefaultModel();

}  // namespace vade::embed
