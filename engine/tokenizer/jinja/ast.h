// The syntax tree of a template. Depth is bounded by the parser, so that walking it cannot
// overflow.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/tokenizer/jinja/value.h"

namespace vade::tokenizer::jinja {

enum class ExprKind : uint8_t {
  kLiteral,  // value
  kName,     // name
  kList,     // children
  kTuple,    // children
  kDict,     // children: key, value, key, value, ...
  kUnary,    // name: "not", "-", "+"; children[0]
  kBinary,   // name: operator; children[0], children[1]
  kCompare,  // name: "==", "in", "not in", ...; children[0], children[1]
  kAnd,      // children[0], children[1]
  kOr,
  kCondition,  // children: then, condition, else (may be null)
  kAttribute,  // children[0] . name
  kItem,       // children[0] [ children[1] ]
  kSlice,      // children: object, start, stop, step (each may be null)
  kCall,       // children[0] ( arguments )
  kFilter,     // children[0] | name ( arguments ); children[0] null inside {% filter %}
  kTest,       // children[0] is name ( arguments )
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
};

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  std::string name;
  Value value;
  std::vector<ExprPtr> children;
  CallArguments arguments;
  uint32_t line = 0;
  uint32_t depth = 1;
};

enum class StatementKind : uint8_t {
  kText,          // text
  kPrint,         // expr
  kIf,            // branches; the last one without a condition is the else
  kFor,           // targets, expr, condition (the "if" of the loop), body, otherwise
  kSet,           // targets = expr
  kSetAttribute,  // targets[0].targets[1] = expr
  kSetBlock,      // targets[0] = rendered body, through expr (a filter) if there is one
  kMacro,         // macro
  kCallBlock,     // macro (its body is the caller), expr the call
  kFilterBlock,   // expr the filter chain on a null object, body
  kBreak,
  kContinue,
};

struct Statement;
using Body = std::vector<Statement>;

struct Branch;

struct Macro {
  std::string name;
  std::vector<std::pair<std::string, ExprPtr>> parameters;  // default may be null
  std::shared_ptr<const Body> body;
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  std::string text;
  ExprPtr expr;
  ExprPtr condition;
  std::vector<std::string> targets;
  std::vector<Branch> branches;
  std::shared_ptr<const Body> body;
  std::shared_ptr<const Body> otherwise;
  std::shared_ptr<const Macro> macro;
  uint32_t line = 0;
};

struct Branch {
  ExprPtr condition;
  Body body;
};

}  // namespace vade::tokenizer::jinja
