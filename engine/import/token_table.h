// The vocabulary of a model on its way into a GGUF file: texts, scores and types by id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/names.h"
#include "engine/gguf/writer.h"
#include "engine/import/json_file.h"

namespace vade::import {

class TokenTable {
 public:
  /// Ids up to the highest set; those between are unused until set. `where`: for messages.
  /// Errors: kCorruptData for an id beyond any vocabulary, a text that is too long or no UTF-8.
  [[nodiscard]] Result<void> Set(uint64_t id, std::string text, gguf::TokenType type, float score,
                                 const std::string& where);

  /// A list of {id, content, special} as in tokenizer.json's added_tokens, or an object of
  /// {content, special} by id as in tokenizer_config.json's added_tokens_decoder.
  [[nodiscard]] Result<void> SetAdded(const nlohmann::json& tokens, const std::string& where);

  [[nodiscard]] size_t size() const noexcept { return tokens_.size(); }
  [[nodiscard]] std::optional<uint32_t> Find(std::string_view text) const;

  /// Writes tokens, types and, if wanted, scores, filled up to vocab_size with unused ones.
  /// Errors: kCorruptData if there are more tokens than that.
  [[nodiscard]] Result<void> AddTo(gguf::Writer& writer, uint64_t vocab_size,
                                   bool with_scores) const;

 private:
  struct Token {
    std::string text;
    gguf::TokenType type = gguf::TokenType::kUnused;
    float score = 0;
  };
  std::vector<Token> tokens_;
};

}  // namespace vade::import
