// Keeps control tokens out of what people wrote, while their text goes through a prompt template.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {

/// Puts the names of control tokens out of the template's sight and back into the prompt as plain
/// text (faults.md 20). REQUIRES the tokenizer outlives it.
class NameGuard {
 public:
  explicit NameGuard(const tokenizer::Tokenizer& tokenizer);

  /// `text` with a mark in the place of every name.
  [[nodiscard]] std::string Hide(std::string_view text);

  /// The ids of a rendered prompt: names the template wrote are control tokens, hidden ones text.
  /// Appends the prompt as a reader would see it to `text`.
  [[nodiscard]] std::vector<tokenizer::TokenId> Encode(std::string_view rendered,
                                                       std::string& text) const;

 private:
  [[nodiscard]] const std::string* NameAt(std::string_view text) const;

  const tokenizer::Tokenizer* tokenizer_;
  std::vector<std::string> names_;  // longest first
  std::array<bool, 256> starts_{};  // bytes that names begin with
  std::vector<std::string> hidden_;
};

}  // namespace vade::engine
