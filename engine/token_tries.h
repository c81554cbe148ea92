// The vocabulary of a model as grammars see it, made when the first one comes.
#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/token_trie.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {

/// Control tokens by which models mark a tool call: text where a call is written, nowhere else.
[[nodiscard]] bool IsCallMark(std::string_view control_token) noexcept;

/// Thread-safe. The tokenizer must outlive it.
class TokenTries {
 public:
  explicit TokenTries(const tokenizer::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// All tokens that are text.
  [[nodiscard]] const runtime::TokenTrie& Text();
  /// Those and the marks of tool calls.
  [[nodiscard]] const runtime::TokenTrie& Calls();
  [[nodiscard]] std::span<const tokenizer::TokenId> EndIds();

 private:
  [[nodiscard]] runtime::TokenTrie Build(bool with_call_marks) const;

  const tokenizer::Tokenizer& tokenizer_;
  std::mutex mutex_;  // of what follows
  std::optional<const runtime::TokenTrie> text_;
  std::optional<const runtime::TokenTrie> calls_;
  std::optional<const std::vector<tokenizer::TokenId>> end_ids_;
};

}  // namespace vade::engine
