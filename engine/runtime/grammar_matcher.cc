// Lazy determinisation of a pushdown automaton. Why it stops: without left recursion each byte read
// pushes a bounded number of frames, equal (node, stack) pairs are visited once, and every look is
// counted against the limits. Nothing recurses, so no grammar can overflow the C++ stack.
#include "engine/runtime/grammar_matcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/hash.h"
#include "engine/base/utf8.h"

namespace vade::runtime {
namespace {

constexpr size_t kMaxMasks = 64;      // 16 KB each at 128k tokens
constexpr size_t kMaxVisited = 4096;  // entries of old rounds kept instead of cleared each time

uint64_t Pair(uint32_t high, uint32_t low) noexcept { return uint64_t{high} << 32 | low; }

}  // namespace

Result<GrammarMatcher> GrammarMatcher::Create(Grammar grammar, const TokenTrie& trie,
                                              std::span<const TokenId> end_ids,
                                              const MatcherLimits& limits) {
  GrammarMatcher matcher(std::move(grammar), trie, end_ids, limits);
  matcher.Reset();
  matcher.Close(matcher.grammar_.start(), 0);
  matcher.current_ = matcher.InternPending();
  if (matcher.OverBudget()) return matcher.BudgetError();
  return matcher;
}

GrammarMatcher::GrammarMatcher(Grammar grammar, const TokenTrie& trie,
                               std::span<const TokenId> end_ids, const MatcherLimits& limits)
    : grammar_(std::move(grammar)),
      trie_(&trie),
      end_ids_(end_ids.begin(), end_ids.end()),
      limits_(limits),
      path_(trie.max_depth() + 1) {}

void GrammarMatcher::Reset() {
  frames_.assign(1, {Grammar::kEnd, 0, 0});
  frame_index_.clear();
  items_.clear();
  states_.clear();
  state_index_.clear();
  transitions_.clear();
  masks_.clear();
  pending_.clear();
  pending_accepting_ = false;
  static_cast<void>(InternPending());  // kDead: no items, not accepting
}

GrammarMatcher::StackIdx GrammarMatcher::Push(NodeIdx node, StackIdx below) {
  const auto [known, added] =
      frame_index_.try_emplace(Pair(node, below), static_cast<StackIdx>(frames_.size()));
  if (added) frames_.push_back({node, below, frames_[below].depth + 1});
  return known->second;
}

// Adds to pending_ all reads that can be reached from (node, stack) without reading.
void GrammarMatcher::Close(NodeIdx node, StackIdx stack) {
  work_.push_back({node, stack});
  while (!work_.empty()) {
    const Item at = work_.back();
    work_.pop_back();
    if (++steps_ > limits_.max_steps) {
      work_.clear();
      return;
    }
    const Grammar::Node& node_at = grammar_.node(at.node);
    if (node_at.kind == Grammar::Node::Kind::kRead) {
      pending_.push_back(at);
      continue;
    }
    if (at.node == Grammar::kEnd && at.stack == 0) {
      pending_accepting_ = true;
      continue;
    }
    if (std::exchange(visited_[Pair(at.node, at.stack)], round_) == round_) continue;
    switch (node_at.kind) {
      case Grammar::Node::Kind::kEnd:
        work_.push_back({frames_[at.stack].node, frames_[at.stack].below});
        break;
      case Grammar::Node::Kind::kSplit:
        for (const NodeIdx target : grammar_.targets(node_at)) work_.push_back({target, at.stack});
        break;
      case Grammar::Node::Kind::kCall:
        // A call that is the last thing a rule does needs no return: lists do not grow the stack.
        if (node_at.next == Grammar::kEnd) {
          work_.push_back({node_at.callee, at.stack});
        } else if (frames_[at.stack].depth < limits_.max_depth) {
          work_.push_back({node_at.callee, Push(node_at.next, at.stack)});
        }
        break;
      case Grammar::Node::Kind::kRead:
        break;
    }
  }
}

// The state of the items in pending_, which is emptied.
GrammarMatcher::StateIdx GrammarMatcher::InternPending() {
  std::sort(pending_.begin(), pending_.end());
  pending_.erase(std::unique(pending_.begin(), pending_.end()), pending_.end());
  const uint64_t hash = Hash64(std::as_bytes(std::span(pending_))) + (pending_accepting_ ? 1 : 0);
  const auto [begin, end] = state_index_.equal_range(hash);
  StateIdx found = kUnknown;
  for (auto it = begin; it != end && found == kUnknown; ++it) {
    const State& state = states_[it->second];
    if (state.accepting == pending_accepting_ &&
        std::ranges::equal(std::span(items_).subspan(state.first, state.count), pending_)) {
      found = it->second;
    }
  }
  if (found == kUnknown) {
    found = static_cast<StateIdx>(states_.size());
    states_.push_back({items_.size(), pending_.size(), pending_accepting_});
    items_.insert(items_.end(), pending_.begin(), pending_.end());
    state_index_.emplace(hash, found);
    transitions_.resize(transitions_.size() + grammar_.num_classes(), kUnknown);
  }
  pending_.clear();
  pending_accepting_ = false;
  if (visited_.size() > kMaxVisited || round_ == UINT32_MAX) {
    visited_.clear();
    round_ = 0;
  }
  ++round_;
  return found;
}

GrammarMatcher::StateIdx GrammarMatcher::Compute(StateIdx from, size_t cls) {
  const uint8_t byte = grammar_.class_sample(cls);
  const State state = states_[from];
  for (size_t i = 0; i < state.count; ++i) {
    const Item item = items_[state.first + i];
    for (const Grammar::Edge& edge : grammar_.edges(grammar_.node(item.node))) {
      ++steps_;
      if (edge.low <= byte && byte <= edge.high) Close(edge.target, item.stack);
    }
  }
  const StateIdx to = InternPending();
  // Out of steps, the set may be missing items: it must not be remembered.
  if (steps_ <= limits_.max_steps) transitions_[from * grammar_.num_classes() + cls] = to;
  return to;
}

size_t GrammarMatcher::CacheBytes() const noexcept {
  constexpr size_t kFrameBytes = sizeof(Frame) + 48;  // with its hash table entry
  constexpr size_t kStateBytes = sizeof(State) + 48;
  return frames_.size() * kFrameBytes + states_.size() * kStateBytes +
         items_.size() * sizeof(Item) + transitions_.size() * sizeof(StateIdx);
}

// Starts the budget of a call; drops a cache grown too large, keeping the current state.
void GrammarMatcher::BeginCall() {
  steps_ = 0;
  if (CacheBytes() <= limits_.cache_bytes) return;
  const State state = states_[current_];
  const std::vector<Item> items(items_.begin() + static_cast<ptrdiff_t>(state.first),
                                items_.begin() + static_cast<ptrdiff_t>(state.first + state.count));
  const std::vector<Frame> frames = std::move(frames_);
  Reset();
  // A frame's lower part has a smaller index, so one pass upwards re-enters shared stacks once.
  std::vector<bool> needed(frames.size(), false);
  for (const Item& item : items) needed[item.stack] = true;
  for (size_t i = frames.size(); i-- > 1;) {
    if (needed[i]) needed[frames[i].below] = true;
  }
  std::vector<StackIdx> moved(frames.size(), 0);
  for (size_t i = 1; i < frames.size(); ++i) {
    if (needed[i]) moved[i] = Push(frames[i].node, moved[frames[i].below]);
  }
  for (const Item& item : items) pending_.push_back({item.node, moved[item.stack]});
  pending_accepting_ = state.accepting;
  current_ = InternPending();
}

tl::unexpected<Error> GrammarMatcher::BudgetError() const {
  return Fail(ErrorCode::kResource, "grammar: too ambiguous: one token needs more than " +
                                        std::to_string(limits_.max_steps) + " steps or " +
                                        std::to_string(limits_.max_cache_bytes >> 20) + " MiB");
}

Result<TokenMask> GrammarMatcher::ComputeMask() {
  TokenMask mask(trie_->vocab_size());
  const auto nodes = trie_->nodes();
  const auto tokens = trie_->tokens();
  path_[0] = current_;
  for (size_t i = 0; i + 1 < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    const size_t steps_before = steps_;
    const StateIdx state = Step(path_[node.depth - 1u], grammar_.class_of(node.byte));
    if (steps_ != steps_before && OverBudget()) return BudgetError();
    if (state == kDead) {
      i = node.subtree_end;
      continue;
    }
    path_[node.depth] = state;
    ++i;
    for (size_t t = node.first_token; t < nodes[i].first_token; ++t) mask.Set(tokens[t]);
  }
  return mask;
}

Result<const TokenMask*> GrammarMatcher::AllowedTokens() {
  BeginCall();
  if (ended_) current_ = kDead;
  if (const auto known = masks_.find(current_); known != masks_.end()) return &known->second;
  VADE_TRY(TokenMask mask, ComputeMask());
  for (const TokenId id : end_ids_) {
    if (may_end() && id >= 0 && static_cast<size_t>(id) < mask.size()) mask.Set(id);
  }
  if (masks_.size() >= kMaxMasks) masks_.clear();
  return &masks_.emplace(current_, std::move(mask)).first->second;
}

Result<void> GrammarMatcher::AcceptText(std::string_view bytes) {
  BeginCall();
  StateIdx state = ended_ ? kDead : current_;
  for (const char c : bytes) {
    state = Step(state, grammar_.class_of(static_cast<uint8_t>(c)));
    if (OverBudget()) return BudgetError();
  }
  if (state == kDead) {
    return Fail(ErrorCode::kInvalidArgument,
                "grammar: \"" + utf8::Escape(bytes.substr(0, 100)) + "\" is not allowed here");
  }
  current_ = state;
  return {};
}

Result<void> GrammarMatcher::Accept(TokenId id) {
  if (std::find(end_ids_.begin(), end_ids_.end(), id) != end_ids_.end()) {
    if (ended_ || !may_end()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "grammar: the text may not end here (token " + std::to_string(id) + ")");
    }
    ended_ = true;
    return {};
  }
  const std::string_view text = trie_->TextOf(id);
  if (text.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "grammar: token " + std::to_string(id) + " has no text, so it is not allowed");
  }
  return AcceptText(text);
}

}  // namespace vade::runtime
