// What the tokenizers of generating models share: special tokens, added tokens, joining pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/special_roles.h"
#include "engine/tokenizer/special_splitter.h"
#include "engine/tokenizer/token_index.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/vocabulary.h"

namespace vade::tokenizer {

/// How text is framed and joined. A file may override the first three.
struct Framing {
  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = false;
  bool clean_up_spaces = false;  // when decoding
};

/// Source: llama.cpp's tokenizing and detokenizing of each kind.
class VocabularyTokenizer : public Tokenizer {
 public:
  [[nodiscard]] std::vector<TokenId> Encode(std::string_view text, bool add_special,
                                            bool parse_special) const final;
  [[nodiscard]] size_t Count(std::string_view text) const final;
  [[nodiscard]] std::string Decode(std::span<const TokenId> ids,
                                   const DecodeOptions& options) const final;
  [[nodiscard]] std::string TokenText(TokenId id) const final;
  [[nodiscard]] bool IsControl(TokenId id) const noexcept final;
  [[nodiscard]] bool IsEndOfGeneration(TokenId id) const noexcept final;
  [[nodiscard]] size_t vocab_size() const noexcept final { return vocabulary_.size(); }
  [[nodiscard]] const SpecialIds& special_ids() const noexcept final { return roles_.ids; }
  [[nodiscard]] size_t num_added() const noexcept final {
    return size_t{framing_.add_bos} + size_t{framing_.add_eos};
  }

 protected:
  struct Parts {
    Vocabulary vocabulary;
    TokenIndex index;
    SpecialRoles roles;
    Framing framing;
  };
  /// Errors: as Tokenizer::Load; kCorruptData for a byte token that is not "<0xNN>".
  [[nodiscard]] static Result<Parts> LoadParts(const gguf::File& file, const SpecialIds& defaults,
                                               Framing framing);

  explicit VocabularyTokenizer(Parts parts);

  /// Appends the tokens of ordinary text. `first`: nothing or a special token comes before it.
  virtual void AppendText(std::string_view text, bool first, std::vector<TokenId>& out) const = 0;
  /// The bytes that the text of a normal token stands for.
  [[nodiscard]] virtual std::string PlainBytes(std::string_view token) const = 0;

  [[nodiscard]] const Vocabulary& vocabulary() const noexcept { return vocabulary_; }
  [[nodiscard]] const Framing& framing() const noexcept { return framing_; }
  /// The token of exactly `text`, or TokenIndex::kNone.
  [[nodiscard]] TokenId FindToken(std::string_view text) const noexcept {
    return index_.Find(vocabulary_, text);
  }

 private:
  Vocabulary vocabulary_;
  TokenIndex index_;
  SpecialRoles roles_;
  Framing framing_;
  SpecialSplitter splitter_;
};

}  // namespace vade::tokenizer
