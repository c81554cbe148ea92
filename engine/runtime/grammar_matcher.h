// Follows a grammar token by token: which tokens may come next, and whether the text may end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/runtime/grammar.h"
#include "engine/runtime/token_mask.h"
#include "engine/runtime/token_trie.h"

namespace vade::runtime {

/// What following a grammar may cost. A step is one look at an edge or a node.
struct MatcherLimits {
  size_t max_steps = 20'000'000;               // per call, about 0.1-0.3 s
  size_t max_depth = 16'384;                   // of calls; what would go deeper is not allowed
  size_t cache_bytes = size_t{16} << 20;       // dropped between calls when larger
  size_t max_cache_bytes = size_t{128} << 20;  // within a call: an error
};

/// The automaton of a grammar is made deterministic lazily: a state is the set of all (node, stack
/// of return nodes) the grammar can be in, stacks are shared lists, states and their transitions
/// are remembered. The allowed tokens are found by walking the vocabulary's trie over the
/// transitions; a state met again (inside a string, say) answers from a cache.
/// One per sequence; single-thread. The trie must outlive the matcher.
class GrammarMatcher {
 public:
  /// end_ids: the tokens that end a text; they are allowed exactly when the grammar may end.
  /// Errors: kResource if even the start is too ambiguous for the limits.
  [[nodiscard]] static Result<GrammarMatcher> Create(Grammar grammar, const TokenTrie& trie,
                                                     std::span<const TokenId> end_ids,
                                                     const MatcherLimits& limits = {});

  /// Valid until the next call. It may be empty of tokens if the vocabulary cannot write what the
  /// grammar wants. Errors: kResource beyond the limits.
  [[nodiscard]] Result<const TokenMask*> AllowedTokens();

  /// Goes on by a token (an end id: the text is complete). Errors: kInvalidArgument if the token is
  /// not allowed, kResource; the matcher is unchanged then.
  [[nodiscard]] Result<void> Accept(TokenId id);

  /// Accept for bytes, whatever tokens they come from.
  [[nodiscard]] Result<void> AcceptText(std::string_view bytes);

  /// The text so far is a complete match.
  [[nodiscard]] bool may_end() const noexcept { return states_[current_].accepting; }
  /// It is, and nothing can follow, or an end id was accepted.
  [[nodiscard]] bool must_end() const noexcept {
    return ended_ || (may_end() && states_[current_].count == 0);
  }

 private:
  using NodeIdx = Grammar::NodeIdx;
  using StackIdx = uint32_t;  // 0 is the empty stack
  using StateIdx = uint32_t;
  static constexpr StateIdx kDead = 0;
  static constexpr StateIdx kUnknown = UINT32_MAX;

  struct Frame {  // a stack: go on at `node`, then at what `below` says
    NodeIdx node;
    StackIdx below;
    uint32_t depth;
  };
  struct Item {  // waiting to read at `node`
    NodeIdx node;
    StackIdx stack;
    bool operator==(const Item&) const = default;
    auto operator<=>(const Item&) const = default;
  };
  struct State {
    size_t first = 0;  // range of items_
    size_t count = 0;
    bool accepting = false;
  };

  GrammarMatcher(Grammar grammar, const TokenTrie& trie, std::span<const TokenId> end_ids,
                 const MatcherLimits& limits);

  void Reset();
  [[nodiscard]] StackIdx Push(NodeIdx node, StackIdx below);
  void Close(NodeIdx node, StackIdx stack);
  [[nodiscard]] StateIdx InternPending();
  [[nodiscard]] StateIdx Compute(StateIdx from, size_t cls);
  [[nodiscard]] StateIdx Step(StateIdx from, size_t cls) {
    const StateIdx known = transitions_[from * grammar_.num_classes() + cls];
    return known != kUnknown ? known : Compute(from, cls);
  }
  void BeginCall();
  [[nodiscard]] size_t CacheBytes() const noexcept;
  [[nodiscard]] bool OverBudget() const noexcept {
    return steps_ > limits_.max_steps || CacheBytes() > limits_.max_cache_bytes;
  }
  [[nodiscard]] tl::unexpected<Error> BudgetError() const;
  [[nodiscard]] Result<TokenMask> ComputeMask();

  Grammar grammar_;
  const TokenTrie* trie_;
  std::vector<TokenId> end_ids_;
  MatcherLimits limits_;

  StateIdx current_ = kDead;
  bool ended_ = false;
  size_t steps_ = 0;  // of this call

  std::vector<Frame> frames_;
  std::unordered_map<uint64_t, StackIdx> frame_index_;  // node, below
  std::vector<Item> items_;
  std::vector<State> states_;
  std::unordered_multimap<uint64_t, StateIdx> state_index_;  // by hash of the items
  std::vector<StateIdx> transitions_;                        // [states, num_classes]
  std::unordered_map<StateIdx, TokenMask> masks_;

  // Scratch of Close and of the trie walk.
  std::vector<Item> pending_;
  bool pending_accepting_ = false;
  std::vector<Item> work_;
  std::unordered_map<uint64_t, uint32_t> visited_;  // (node, stack) -> round
  uint32_t round_ = 1;
  std::vector<StateIdx> path_;
};

}  // namespace vade::runtime
