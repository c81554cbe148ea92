// GBNF text -> syntax tree. The notation is that of llama.cpp's grammars; a token reference
// (<[id]>) is refused, everything else is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/runtime/utf8_ranges.h"

namespace vade::runtime {

/// What a grammar may cost; a hostile one ends in an error, not in a full memory.
struct GrammarLimits {
  size_t max_text_bytes = size_t{1} << 20;
  size_t max_nesting = 100;  // of parentheses
  size_t max_rules = 20'000;
  uint32_t max_repeat = 100'000;  // the numbers in {m,n}
  size_t max_nodes = 500'000;     // of the automaton, after repetitions are unrolled
};

struct GbnfExpr {
  enum class Kind {
    kLiteral,   // text, UTF-8
    kChars,     // one code point of ranges (normalised)
    kSequence,  // all children in order
    kChoice,    // one of the children
    kRepeat,    // children[0], min to max times
    kRule,      // a call of rules[rule]
  };
  static constexpr uint32_t kUnbounded = UINT32_MAX;

  Kind kind = Kind::kSequence;
  std::string text;
  std::vector<CodePointRange> ranges;
  std::vector<GbnfExpr> children;
  uint32_t min = 0;
  uint32_t max = 0;
  uint32_t rule = 0;
};

struct GbnfRule {
  std::string name;
  GbnfExpr body;
  size_t offset = 0;  // where it is first named in the text
  bool defined = false;
};

struct GbnfSyntax {
  std::vector<GbnfRule> rules;
  size_t root = 0;
};

/// Errors: kInvalidArgument "grammar:LINE:COLUMN: ...", kResource beyond a limit,
/// kUnsupported for token references.
[[nodiscard]] Result<GbnfSyntax> ParseGbnf(std::string_view text, const GrammarLimits& limits);

}  // namespace vade::runtime
