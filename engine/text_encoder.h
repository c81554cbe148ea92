// What all local embedding models share: a name, a tokenizer, checks of what comes and goes.
#pragma once

#include <memory>
#include <string>

#include "engine/encoder_engine.h"
#include "engine/gguf/file.h"
#include "engine/model/pooling.h"
#include "engine/pair_format.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {

/// The text side of a model.
struct TextParts {
  std::unique_ptr<tokenizer::Tokenizer> tokenizer;
  PairFormat pairs;  // points to the tokenizer

  /// Errors: those of the parts; kCorruptData for a vocabulary of another size.
  [[nodiscard]] static Result<TextParts> Load(const gguf::File& file, size_t vocab_size);
};

/// XXH3 of the file's bytes.
[[nodiscard]] uint64_t HashOf(const gguf::File& file);

/// general.name, or the file's.
[[nodiscard]] std::string ModelName(const gguf::File& file, const std::filesystem::path& path);

class TextEncoder : public EncoderEngine {
 public:
  struct Traits {
    std::string name;
    uint64_t hash = 0;
    model::Pooling pooling = model::Pooling::kNone;
    size_t dimension = 0;
    size_t ctx_len = 0;
    size_t max_text_tokens = 0;
  };

  TextEncoder(Traits traits, TextParts parts)
      : traits_(std::move(traits)), parts_(std::move(parts)) {}

  [[nodiscard]] size_t dimension() const override { return traits_.dimension; }
  [[nodiscard]] size_t context_length() const override { return traits_.ctx_len; }
  [[nodiscard]] size_t max_text_tokens() const override { return traits_.max_text_tokens; }
  [[nodiscard]] std::string_view name() const override { return traits_.name; }
  [[nodiscard]] std::string_view pooling() const override {
    return model::PoolingName(traits_.pooling);
  }
  [[nodiscard]] uint64_t weights_hash() const override { return traits_.hash; }
  [[nodiscard]] size_t special_tokens() const override { return parts_.tokenizer->num_added(); }
  [[nodiscard]] std::vector<TokenId> TokenizePair(std::string_view query,
                                                  std::string_view document) const override {
    return parts_.pairs.Encode(query, document);
  }
  [[nodiscard]] std::vector<TokenId> Tokenize(std::string_view text, bool add_special,
                                              bool parse_special) const override {
    return parts_.tokenizer->Encode(text, add_special, parse_special);
  }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override {
    return parts_.tokenizer->Count(text);
  }
  [[nodiscard]] std::optional<TokenId> unknown_token() const override {
    return parts_.tokenizer->special_ids().unk;
  }
  [[nodiscard]] std::string Detokenize(std::span<const TokenId> ids) const override {
    return parts_.tokenizer->Decode(ids, {});
  }

 protected:
  [[nodiscard]] const Traits& traits() const noexcept { return traits_; }
  [[nodiscard]] Result<void> CheckBatch(std::span<const std::vector<TokenId>> sequences,
                                        size_t out_size) const;
  [[nodiscard]] Result<void> CheckSequence(const std::vector<TokenId>& sequence,
                                           size_t index) const;
  /// Makes embeddings unit vectors, leaves scores; an error if something is not finite.
  [[nodiscard]] Result<void> Finish(std::span<float> out) const;

 private:
  const Traits traits_;
  const TextParts parts_;
};

}  // namespace vade::engine
