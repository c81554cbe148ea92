// Sorted texts are already the preorder of their trie.
#include "engine/runtime/token_trie.h"

#include <algorithm>
#include <string_view>

namespace vade::runtime {

TokenTrie::TokenTrie(std::span<const std::string> texts) : texts_(texts.begin(), texts.end()) {
  for (size_t id = 0; id < texts_.size(); ++id) {
    if (texts_[id].size() > kMaxTokenBytes) texts_[id].clear();
    if (!texts_[id].empty()) tokens_.push_back(static_cast<TokenId>(id));
  }
  const auto text = [&](size_t i) -> const std::string& {
    return texts_[static_cast<size_t>(tokens_[i])];
  };
  std::sort(tokens_.begin(), tokens_.end(), [&](TokenId a, TokenId b) {
    const int order = texts_[static_cast<size_t>(a)].compare(texts_[static_cast<size_t>(b)]);
    return order != 0 ? order < 0 : a < b;
  });

  std::vector<uint32_t> open;  // the path to the last token's node
  const auto close_to = [&](size_t depth) {
    for (; open.size() > depth; open.pop_back()) {
      nodes_[open.back()].subtree_end = static_cast<uint32_t>(nodes_.size());
    }
  };
  std::string_view previous;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view now = text(i);
    const size_t shared = static_cast<size_t>(
        std::mismatch(now.begin(), now.end(), previous.begin(), previous.end()).first -
        now.begin());
    close_to(shared);
    for (size_t depth = shared; depth < now.size(); ++depth) {
      open.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, static_cast<uint32_t>(i), static_cast<uint16_t>(depth + 1),
                        static_cast<uint8_t>(now[depth])});
    }
    max_depth_ = std::max(max_depth_, now.size());
    previous = now;
  }
  close_to(0);
  nodes_.push_back(
      {static_cast<uint32_t>(nodes_.size()), static_cast<uint32_t>(tokens_.size()), 0, 0});
}

std::string_view TokenTrie::TextOf(TokenId id) const noexcept {
  const auto at = static_cast<size_t>(id);
  return id >= 0 && at < texts_.size() ? std::string_view(texts_[at]) : std::string_view();
}

}  // namespace vade::runtime
