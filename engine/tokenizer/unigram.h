// Unigram: T5's and XLM-RoBERTa's tokenizer. Of all ways to write a text in tokens the most
// probable.
#pragma once

#include <memory>

#include "engine/tokenizer/charsmap.h"
#include "engine/tokenizer/trie.h"
#include "engine/tokenizer/vocabulary_tokenizer.h"

namespace vade::tokenizer {

class Unigram final : public VocabularyTokenizer {
 public:
  /// Errors: as Tokenizer::Load; kCorruptData without an unknown token.
  [[nodiscard]] static Result<std::unique_ptr<Tokenizer>> Load(const gguf::File& file);

 private:
  Unigram(Parts parts, Charsmap charsmap, bool merge_spaces);

  void AppendText(std::string_view text, bool first, std::vector<TokenId>& out) const override;
  [[nodiscard]] std::string PlainBytes(std::string_view token) const override;
  [[nodiscard]] std::string Normalize(std::string_view text) const;

  Charsmap charsmap_;
  bool merge_spaces_;  // runs of spaces become one, those at the ends none
  Trie tokens_;
  double unknown_score_ = 0;
};

}  // namespace vade::tokenizer
