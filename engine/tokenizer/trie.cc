// Insertion and growth; search is inline in the header.
#include "engine/tokenizer/trie.h"

#include <utility>

namespace vade::tokenizer {

Trie::Trie() : edges_(1024, Edge{kEmpty, kNone}), mask_(edges_.size() - 1), values_{kNoValue} {}

void Trie::Insert(std::string_view key, int32_t value) {
  Node node = kRoot;
  for (const char c : key) {
    Node next = Step(node, static_cast<uint8_t>(c));
    if (next == kNone) {
      if (2 * (num_edges_ + 1) > edges_.size()) Grow();
      next = static_cast<Node>(values_.size());
      values_.push_back(kNoValue);
      const uint64_t edge_key = Key(node, static_cast<uint8_t>(c));
      size_t slot = Hash(edge_key) & mask_;
      while (edges_[slot].key != kEmpty) slot = (slot + 1) & mask_;
      edges_[slot] = {edge_key, next};
      ++num_edges_;
    }
    node = next;
  }
  if (values_[node] == kNoValue) values_[node] = value;
}

void Trie::Grow() {
  std::vector<Edge> old(edges_.size() * 2, Edge{kEmpty, kNone});
  std::swap(old, edges_);
  mask_ = edges_.size() - 1;
  for (const Edge& edge : old) {
    if (edge.key == kEmpty) continue;
    size_t slot = Hash(edge.key) & mask_;
    while (edges_[slot].key != kEmpty) slot = (slot + 1) & mask_;
    edges_[slot] = edge;
  }
}

}  // namespace vade::tokenizer
