// Compiles the syntax tree backwards: an expression is built knowing the node that follows it, so
// sequences need no patching and only loops and rule starts are filled in later.
//
// Left recursion (a rule that can reach itself before reading a byte) would make the matcher's
// stack grow without end. It is found as a cycle among "rule calls rule before reading".
#include "engine/runtime/grammar.h"

#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace vade::runtime {

class GrammarCompiler {
 public:
  GrammarCompiler(const GbnfSyntax& syntax, const GrammarLimits& limits)
      : syntax_(syntax), limits_(limits) {}

  Result<Grammar> Compile();

 private:
  using Node = Grammar::Node;
  using Kind = Node::Kind;
  using NodeIdx = Grammar::NodeIdx;
  using Expr = GbnfExpr;

  NodeIdx Add(const Node& node);
  NodeIdx AddRead(std::span<const Grammar::Edge> edges);
  NodeIdx AddSplit(std::span<const NodeIdx> targets);
  NodeIdx AddCall(NodeIdx callee, NodeIdx next) {
    return Add({.kind = Kind::kCall, .callee = callee, .next = next});
  }
  // A rule's entry is a node of its own that leads to its body, so calls can come first.
  void SetEntry(NodeIdx entry, NodeIdx body);

  NodeIdx Build(const Expr& expr, NodeIdx next);
  NodeIdx BuildLiteral(const std::string& text, NodeIdx next);
  NodeIdx BuildChars(const std::vector<CodePointRange>& ranges, NodeIdx next);
  NodeIdx BuildRepeat(const Expr& expr, NodeIdx next);
  [[nodiscard]] bool TooLarge() const noexcept {
    return grammar_.nodes_.size() + grammar_.edges_.size() > limits_.max_nodes;
  }

  [[nodiscard]] std::vector<bool> FindNullable() const;
  [[nodiscard]] Result<void> CheckLeftRecursion() const;
  [[nodiscard]] std::vector<size_t> LeftCalls(size_t entry_idx, const std::vector<bool>& nullable,
                                              std::vector<uint32_t>& seen) const;
  void MakeByteClasses();

  struct Entry {
    NodeIdx node;
    size_t rule;  // whose text it comes from
  };

  const GbnfSyntax& syntax_;
  const GrammarLimits& limits_;
  Grammar grammar_;
  std::vector<Entry> entries_;  // of the rules, then of repeated items that became rules
  size_t rule_ = 0;             // being compiled
};

Grammar::NodeIdx GrammarCompiler::Add(const Node& node) {
  grammar_.nodes_.push_back(node);
  return static_cast<NodeIdx>(grammar_.nodes_.size() - 1);
}

Grammar::NodeIdx GrammarCompiler::AddRead(std::span<const Grammar::Edge> edges) {
  const auto first = static_cast<uint32_t>(grammar_.edges_.size());
  grammar_.edges_.insert(grammar_.edges_.end(), edges.begin(), edges.end());
  return Add({.kind = Kind::kRead, .first = first, .count = static_cast<uint32_t>(edges.size())});
}

Grammar::NodeIdx GrammarCompiler::AddSplit(std::span<const NodeIdx> targets) {
  const auto first = static_cast<uint32_t>(grammar_.targets_.size());
  grammar_.targets_.insert(grammar_.targets_.end(), targets.begin(), targets.end());
  return Add(
      {.kind = Kind::kSplit, .first = first, .count = static_cast<uint32_t>(targets.size())});
}

void GrammarCompiler::SetEntry(NodeIdx entry, NodeIdx body) {
  grammar_.targets_[grammar_.nodes_[entry].first] = body;
}

Grammar::NodeIdx GrammarCompiler::Build(const Expr& expr, NodeIdx next) {
  if (TooLarge()) return next;  // Compile() reports it
  switch (expr.kind) {
    case Expr::Kind::kLiteral:
      return BuildLiteral(expr.text, next);
    case Expr::Kind::kChars:
      return BuildChars(expr.ranges, next);
    case Expr::Kind::kSequence:
      for (size_t i = expr.children.size(); i-- > 0;) next = Build(expr.children[i], next);
      return next;
    case Expr::Kind::kChoice: {
      std::vector<NodeIdx> targets;
      for (const Expr& child : expr.children) targets.push_back(Build(child, next));
      return AddSplit(targets);
    }
    case Expr::Kind::kRepeat:
      return BuildRepeat(expr, next);
    case Expr::Kind::kRule:
      return AddCall(entries_[expr.rule].node, next);
  }
  return next;
}

Grammar::NodeIdx GrammarCompiler::BuildLiteral(const std::string& text, NodeIdx next) {
  for (size_t i = text.size(); i-- > 0;) {
    const Grammar::Edge edge{static_cast<uint8_t>(text[i]), static_cast<uint8_t>(text[i]), next};
    next = AddRead({&edge, 1});
  }
  return next;
}

Grammar::NodeIdx GrammarCompiler::BuildChars(const std::vector<CodePointRange>& ranges,
                                             NodeIdx next) {
  std::map<std::tuple<uint8_t, uint8_t, NodeIdx>, NodeIdx> tails;  // equal endings are shared
  std::vector<Grammar::Edge> heads;
  for (const ByteSequence& sequence : ToByteSequences(ranges)) {
    NodeIdx target = next;
    for (size_t i = sequence.length; i-- > 1;) {
      const auto [low, high] = sequence.bytes[i];
      const auto [known, added] = tails.try_emplace({low, high, target}, 0);
      if (added) {
        const Grammar::Edge edge{low, high, target};
        known->second = AddRead({&edge, 1});
      }
      target = known->second;
    }
    const auto [low, high] = sequence.bytes[0];
    if (!heads.empty() && heads.back().target == target && heads.back().high + 1 == low) {
      heads.back().high = high;
    } else {
      heads.push_back({low, high, target});
    }
  }
  return AddRead(heads);
}

Grammar::NodeIdx GrammarCompiler::BuildRepeat(const Expr& expr, NodeIdx next) {
  const bool unbounded = expr.max == Expr::kUnbounded;
  const uint32_t copies = unbounded ? expr.min + 1 : expr.max;
  const Expr& item = expr.children[0];
  // An item needed more than once becomes a rule, so that each copy is a single node.
  std::optional<NodeIdx> shared;
  const auto copy = [&](NodeIdx then) {
    return shared ? AddCall(*shared, then) : Build(item, then);
  };
  if (copies > 1 && item.kind != Expr::Kind::kRule) {
    const NodeIdx placeholder = Grammar::kEnd;
    const NodeIdx entry = AddSplit({&placeholder, 1});
    entries_.push_back({entry, rule_});
    SetEntry(entry, Build(item, Grammar::kEnd));
    shared = entry;
  }
  NodeIdx at = next;
  if (unbounded) {
    const NodeIdx placeholders[] = {next, next};
    const NodeIdx loop = AddSplit(placeholders);
    const NodeIdx body = copy(loop);
    grammar_.targets_[grammar_.nodes_[loop].first] = body;
    at = loop;
  } else {
    for (uint32_t i = expr.min; i < expr.max && !TooLarge(); ++i) {  // x{0,2} = (x (x)?)?
      const NodeIdx targets[] = {copy(at), next};
      at = AddSplit(targets);
    }
  }
  for (uint32_t i = 0; i < expr.min && !TooLarge(); ++i) at = copy(at);
  return at;
}

// Nodes from which the rule's end can be reached without reading. Worklist over reversed edges.
std::vector<bool> GrammarCompiler::FindNullable() const {
  const size_t num_nodes = grammar_.nodes_.size();
  std::vector<std::vector<NodeIdx>> waiting(num_nodes);  // to look at again when this one is
  for (NodeIdx idx = 0; idx < num_nodes; ++idx) {
    const Node& node = grammar_.nodes_[idx];
    if (node.kind == Kind::kSplit) {
      for (const NodeIdx target : grammar_.targets(node)) waiting[target].push_back(idx);
    } else if (node.kind == Kind::kCall) {
      waiting[node.callee].push_back(idx);
      waiting[node.next].push_back(idx);
    }
  }
  std::vector<bool> nullable(num_nodes, false);
  nullable[Grammar::kEnd] = true;
  std::vector<NodeIdx> work{Grammar::kEnd};
  while (!work.empty()) {
    const NodeIdx done = work.back();
    work.pop_back();
    for (const NodeIdx idx : waiting[done]) {
      const Node& node = grammar_.nodes_[idx];
      if (nullable[idx]) continue;
      if (node.kind == Kind::kCall && !(nullable[node.callee] && nullable[node.next])) continue;
      nullable[idx] = true;
      work.push_back(idx);
    }
  }
  return nullable;
}

// Entry nodes that the given entry can call before a byte is read.
std::vector<size_t> GrammarCompiler::LeftCalls(size_t entry_idx, const std::vector<bool>& nullable,
                                               std::vector<uint32_t>& seen) const {
  std::vector<size_t> calls;
  std::vector<NodeIdx> work{entries_[entry_idx].node};
  const auto stamp = static_cast<uint32_t>(entry_idx + 1);
  while (!work.empty()) {
    const NodeIdx idx = work.back();
    work.pop_back();
    if (std::exchange(seen[idx], stamp) == stamp) continue;
    const Node& node = grammar_.nodes_[idx];
    if (node.kind == Kind::kSplit) {
      for (const NodeIdx target : grammar_.targets(node)) work.push_back(target);
    } else if (node.kind == Kind::kCall) {
      calls.push_back(node.callee);
      if (nullable[node.callee]) work.push_back(node.next);
    }
  }
  return calls;
}

Result<void> GrammarCompiler::CheckLeftRecursion() const {
  const std::vector<bool> nullable = FindNullable();
  std::vector<uint32_t> seen(grammar_.nodes_.size(), 0);
  std::vector<size_t> entry_of(grammar_.nodes_.size(), 0);
  for (size_t i = 0; i < entries_.size(); ++i) entry_of[entries_[i].node] = i;

  struct Visit {
    size_t entry;
    std::vector<size_t> calls;
  };
  enum class Colour : uint8_t { kNew, kOpen, kDone };
  std::vector<Colour> colour(entries_.size(), Colour::kNew);
  for (size_t root = 0; root < entries_.size(); ++root) {
    if (colour[root] != Colour::kNew) continue;
    std::vector<Visit> path;
    const auto open = [&](size_t entry) {
      colour[entry] = Colour::kOpen;
      path.push_back({entry, LeftCalls(entry, nullable, seen)});
    };
    for (open(root); !path.empty();) {
      if (path.back().calls.empty()) {
        colour[path.back().entry] = Colour::kDone;
        path.pop_back();
        continue;
      }
      const size_t callee = entry_of[path.back().calls.back()];
      path.back().calls.pop_back();
      if (colour[callee] == Colour::kOpen) {
        return Fail(ErrorCode::kInvalidArgument,
                    "grammar: left recursion: rule \"" + syntax_.rules[entries_[callee].rule].name +
                        "\" can begin with itself; put what it reads first");
      }
      if (colour[callee] == Colour::kNew) open(callee);
    }
  }
  return {};
}

void GrammarCompiler::MakeByteClasses() {
  std::array<bool, 257> begins{};
  begins[0] = true;
  for (const Grammar::Edge& edge : grammar_.edges_) {
    begins[edge.low] = true;
    begins[edge.high + size_t{1}] = true;
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    if (begins[byte]) grammar_.class_sample_.push_back(static_cast<uint8_t>(byte));
    grammar_.class_of_[byte] = static_cast<uint8_t>(grammar_.class_sample_.size() - 1);
  }
}

Result<Grammar> GrammarCompiler::Compile() {
  Add({});  // kEnd
  const NodeIdx placeholder = Grammar::kEnd;
  for (size_t i = 0; i < syntax_.rules.size(); ++i) {
    entries_.push_back({AddSplit({&placeholder, 1}), i});
  }
  for (rule_ = 0; rule_ < syntax_.rules.size(); ++rule_) {
    SetEntry(entries_[rule_].node, Build(syntax_.rules[rule_].body, Grammar::kEnd));
    if (TooLarge()) {
      return Fail(ErrorCode::kResource,
                  "grammar: rule \"" + syntax_.rules[rule_].name + "\": more than " +
                      std::to_string(limits_.max_nodes) +
                      " states; its repetitions or character classes are too large");
    }
  }
  VADE_CHECK_OK(CheckLeftRecursion());
  grammar_.start_ = entries_[syntax_.root].node;
  MakeByteClasses();
  return std::move(grammar_);
}

Result<Grammar> Grammar::Parse(std::string_view gbnf, const GrammarLimits& limits) {
  VADE_TRY(const GbnfSyntax syntax, ParseGbnf(gbnf, limits));
  return GrammarCompiler(syntax, limits).Compile();
}

}  // namespace vade::runtime
