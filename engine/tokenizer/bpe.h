// Byte-pair encoding: GPT-2's and its descendants' tokenizer. Pieces of the pre-tokenizer are bytes
// that merge by rank.
#pragma once

#include <array>
#include <memory>

#include "engine/tokenizer/merge_table.h"
#include "engine/tokenizer/pre_tokenizer.h"
#include "engine/tokenizer/vocabulary_tokenizer.h"

namespace vade::tokenizer {

class Bpe final : public VocabularyTokenizer {
 public:
  /// Errors: as Tokenizer::Load; kUnsupported for an unknown name under tokenizer.ggml.pre.
  [[nodiscard]] static Result<std::unique_ptr<Tokenizer>> Load(const gguf::File& file);

 private:
  struct Workspace;

  Bpe(Parts parts, const PreTokenizer& pre_tokenizer, MergeTable merges,
      const std::array<TokenId, 256>& byte_ids);

  void AppendText(std::string_view text, bool first, std::vector<TokenId>& out) const override;
  [[nodiscard]] std::string PlainBytes(std::string_view token) const override;
  void AppendWord(std::string_view word, Workspace& workspace, std::vector<TokenId>& out) const;
  [[nodiscard]] bool AppendWholeWord(std::string_view word, std::vector<TokenId>& out) const;
  void AppendPiece(std::string_view bytes, TokenId id, std::vector<TokenId>& out) const;

  const PreTokenizer& pre_tokenizer_;
  MergeTable merges_;
  std::array<TokenId, 256> byte_ids_;
};

}  // namespace vade::tokenizer
