// WordPiece: BERT's tokenizer. Words are split greedily into the longest pieces of the vocabulary.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/tokenizer/bert_normalizer.h"
#include "engine/tokenizer/special_splitter.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/trie.h"
#include "engine/tokenizer/vocabulary.h"

namespace vade::tokenizer {

class WordPiece final : public Tokenizer {
 public:
  /// Errors: as Tokenizer::Load.
  [[nodiscard]] static Result<std::unique_ptr<Tokenizer>> Load(const gguf::File& file);

  [[nodiscard]] std::vector<TokenId> Encode(std::string_view text, bool add_special,
                                            bool parse_special) const override;
  [[nodiscard]] size_t Count(std::string_view text) const override;
  [[nodiscard]] std::string Decode(std::span<const TokenId> ids,
                                   const DecodeOptions& options) const override;
  [[nodiscard]] std::string TokenText(TokenId id) const override;
  [[nodiscard]] bool IsControl(TokenId id) const noexcept override;
  /// Encoders do not generate: false, except for the end of a sequence.
  [[nodiscard]] bool IsEndOfGeneration(TokenId id) const noexcept override {
    return id == special_.eos || id == special_.sep;
  }
  [[nodiscard]] size_t vocab_size() const noexcept override { return vocabulary_.size(); }
  [[nodiscard]] const SpecialIds& special_ids() const noexcept override { return special_; }
  [[nodiscard]] size_t num_added() const noexcept override { return 2; }

 private:
  WordPiece(Vocabulary vocabulary, const SpecialIds& special, const BertNormalizerOptions& options);

  /// Appends the pieces of one normalised word, or the unknown id if any part has none.
  void AppendWord(std::string_view word, std::vector<TokenId>& out) const;

  Vocabulary vocabulary_;
  SpecialIds special_;  // cls, sep and unk are always present
  BertNormalizer normalizer_;
  SpecialSplitter splitter_;
  size_t max_word_chars_;  // longer words are unknown as a whole
  Trie word_starts_;       // tokens that begin a word, without their U+2581
  Trie continuations_;
};

}  // namespace vade::tokenizer
