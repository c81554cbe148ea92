// The token table of a GGUF file, validated: texts, types and the ids with a role.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/gguf/names.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::tokenizer {

using gguf::TokenType;

class Vocabulary {
 public:
  /// Errors: kCorruptData for no tokens, types or scores of another count, unknown type, token over
  /// gguf::kMaxTokenBytes.
  [[nodiscard]] static Result<Vocabulary> Load(const gguf::File& file);

  [[nodiscard]] size_t size() const noexcept { return types_.size(); }
  /// REQUIRES a valid id.
  [[nodiscard]] std::string_view text(TokenId id) const noexcept {
    const auto i = static_cast<size_t>(id);
    return std::string_view(texts_).substr(begins_[i], begins_[i + 1] - begins_[i]);
  }
  [[nodiscard]] TokenType type(TokenId id) const noexcept {
    return types_[static_cast<size_t>(id)];
  }
  /// 0 in files without scores.
  [[nodiscard]] float score(TokenId id) const noexcept {
    return scores_.empty() ? 0.0F : scores_[static_cast<size_t>(id)];
  }
  /// Writers forget the type of some; see special_roles.h.
  void MarkAsControl(TokenId id) noexcept { types_[static_cast<size_t>(id)] = TokenType::kControl; }
  /// Bytes of the longest token.
  [[nodiscard]] size_t max_token_bytes() const noexcept { return max_token_bytes_; }
  [[nodiscard]] bool Contains(TokenId id) const noexcept {
    return id >= 0 && static_cast<size_t>(id) < size();
  }

 private:
  std::string texts_;             // all tokens end to end
  std::vector<uint32_t> begins_;  // [size + 1] offsets into texts_
  std::vector<TokenType> types_;
  std::vector<float> scores_;  // empty or [size]
  size_t max_token_bytes_ = 0;
};

/// The id under a key of the file, checked against the vocabulary; `fallback` (checked too, "model
/// defaults name an id that is not there") when the key is absent; nothing when that is absent too.
[[nodiscard]] Result<std::optional<TokenId>> SpecialId(const gguf::File& file, std::string_view key,
                                                       size_t vocab_size,
                                                       std::optional<TokenId> fallback);

}  // namespace vade::tokenizer
