// SentencePiece-BPE: Llama's, Mistral's, Gemma's and Phi-3's tokenizer. Characters merge by score;
// what has no token is written as bytes.
#pragma once

#include <array>
#include <memory>

#include "engine/tokenizer/merge_loop.h"
#include "engine/tokenizer/vocabulary_tokenizer.h"

namespace vade::tokenizer {

class SentencePiece final : public VocabularyTokenizer {
 public:
  /// Errors: as Tokenizer::Load.
  [[nodiscard]] static Result<std::unique_ptr<Tokenizer>> Load(const gguf::File& file);

 private:
  struct Workspace;

  SentencePiece(Parts parts, const std::array<TokenId, 256>& byte_ids);

  void AppendText(std::string_view text, bool first, std::vector<TokenId>& out) const override;
  [[nodiscard]] std::string PlainBytes(std::string_view token) const override;
  void AppendSegment(std::string_view text, Workspace& workspace, std::vector<TokenId>& out) const;

  std::array<TokenId, 256> byte_ids_;  // kNone only where there is not even an unknown token
  bool words_are_separate_;  // no token goes on beyond a word, so that each can be merged by itself
};

}  // namespace vade::tokenizer
