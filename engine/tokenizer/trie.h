// A byte trie for longest-prefix search in a vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vade::tokenizer {

/// Edges live in one open-addressing hash table keyed (node, byte): as small as the vocabulary, no
/// rebuild, and one probe per byte. Thread-safe once built.
class Trie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;
  static constexpr int32_t kNoValue = -1;

  Trie();

  /// The first value given to a key stays; `value` >= 0. Keys are non-empty.
  void Insert(std::string_view key, int32_t value);

  /// kNone when there is no such edge.
  [[nodiscard]] Node Step(Node node, uint8_t byte) const noexcept {
    const uint64_t key = Key(node, byte);
    for (size_t slot = Hash(key) & mask_;; slot = (slot + 1) & mask_) {
      if (edges_[slot].key == key) return edges_[slot].child;
      if (edges_[slot].key == kEmpty) return kNone;
    }
  }

  [[nodiscard]] int32_t ValueAt(Node node) const noexcept { return values_[node]; }

  struct Match {
    int32_t value = kNoValue;
    size_t length = 0;
  };
  /// The longest key that is a prefix of `text`, walking from `from`.
  [[nodiscard]] Match LongestPrefix(std::string_view text, Node from = kRoot) const noexcept {
    Match best;
    Node node = from;
    for (size_t i = 0; i < text.size(); ++i) {
      node = Step(node, static_cast<uint8_t>(text[i]));
      if (node == kNone) break;
      if (values_[node] != kNoValue) best = {values_[node], i + 1};
    }
    return best;
  }

 private:
  struct Edge {
    uint64_t key;
    Node child;
  };
  static constexpr uint64_t kEmpty = UINT64_MAX;

  static uint64_t Key(Node node, uint8_t byte) noexcept { return uint64_t{node} << 8 | byte; }
  static size_t Hash(uint64_t key) noexcept {
    key *= 0x9E3779B97F4A7C15u;  // Fibonacci hashing; the high bits are the mixed ones
    return static_cast<size_t>(key >> 24);
  }
  void Grow();

  std::vector<Edge> edges_;  // size is a power of two, at most half full
  size_t mask_ = 0;
  size_t num_edges_ = 0;
  std::vector<int32_t> values_;  // [nodes]
};

}  // namespace vade::tokenizer
