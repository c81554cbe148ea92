// A vocabulary's tokens as one byte trie, laid out for walking all of them with an automaton.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/token_mask.h"

namespace vade::runtime {

/// Nodes stand in preorder, each knowing where its subtree ends: a walk that rejects a node jumps
/// there, and memory is read forwards only. About 12 bytes per node. Built once per model (some
/// 50 ms at 128k tokens); immutable and thread-safe.
class TokenTrie {
 public:
  struct Node {
    uint32_t subtree_end;  // index of the first node that is not below this one
    uint32_t first_token;  // tokens ending here: tokens()[first_token ... next node's first_token)
    uint16_t depth;        // 1 for the first byte of a token
    uint8_t byte;
  };
  static constexpr size_t kMaxTokenBytes = 1024;

  /// texts[id] is the token's raw bytes; empty means that the token is no text (control tokens must
  /// be empty), and it is left out, like tokens above kMaxTokenBytes.
  explicit TokenTrie(std::span<const std::string> texts);

  /// The last node is an end mark of depth 0.
  [[nodiscard]] std::span<const Node> nodes() const noexcept { return nodes_; }
  [[nodiscard]] std::span<const TokenId> tokens() const noexcept { return tokens_; }
  [[nodiscard]] size_t vocab_size() const noexcept { return texts_.size(); }
  [[nodiscard]] size_t max_depth() const noexcept { return max_depth_; }
  /// Empty for ids outside the vocabulary and for those left out.
  [[nodiscard]] std::string_view TextOf(TokenId id) const noexcept;

 private:
  std::vector<Node> nodes_;
  std::vector<TokenId> tokens_;     // sorted by text
  std::vector<std::string> texts_;  // [vocab_size]
  size_t max_depth_ = 0;
};

}  // namespace vade::runtime
