// A grammar ready for matching: one automaton over bytes per rule, which call each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/runtime/gbnf_parser.h"

namespace vade::runtime {

/// A recursive transition network. Characters are compiled to their UTF-8 bytes, so that a token
/// holding half a character needs no special case. Immutable and thread-safe.
class Grammar {
 public:
  using NodeIdx = uint32_t;
  static constexpr NodeIdx kEnd = 0;  // the end of every rule: return to the caller

  struct Edge {
    uint8_t low, high;  // bytes that may be read
    NodeIdx target;
  };
  struct Node {
    enum class Kind : uint8_t {
      kEnd,
      kRead,   // edges: read one byte
      kSplit,  // targets: go on with any, reading nothing
      kCall,   // run the rule starting at `callee`, then go on at `next`
    };
    Kind kind = Kind::kEnd;
    uint32_t first = 0;  // kRead, kSplit: range of edges or targets
    uint32_t count = 0;
    NodeIdx callee = 0;
    NodeIdx next = 0;
  };

  /// Errors: those of ParseGbnf; kInvalidArgument for left recursion, kResource beyond max_nodes.
  [[nodiscard]] static Result<Grammar> Parse(std::string_view gbnf,
                                             const GrammarLimits& limits = {});

  [[nodiscard]] NodeIdx start() const noexcept { return start_; }
  [[nodiscard]] size_t num_nodes() const noexcept { return nodes_.size(); }
  [[nodiscard]] const Node& node(NodeIdx idx) const noexcept { return nodes_[idx]; }
  [[nodiscard]] std::span<const Edge> edges(const Node& node) const noexcept {
    return std::span(edges_).subspan(node.first, node.count);
  }
  [[nodiscard]] std::span<const NodeIdx> targets(const Node& node) const noexcept {
    return std::span(targets_).subspan(node.first, node.count);
  }

  /// Bytes that no edge tells apart share a class; a matcher's tables are indexed by class.
  [[nodiscard]] size_t num_classes() const noexcept { return class_sample_.size(); }
  [[nodiscard]] uint8_t class_of(uint8_t byte) const noexcept { return class_of_[byte]; }
  [[nodiscard]] uint8_t class_sample(size_t cls) const noexcept { return class_sample_[cls]; }

 private:
  friend class GrammarCompiler;
  Grammar() = default;

  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::vector<NodeIdx> targets_;
  NodeIdx start_ = kEnd;
  std::array<uint8_t, 256> class_of_{};
  std::vector<uint8_t> class_sample_;  // one byte of each class
};

}  // namespace vade::runtime
