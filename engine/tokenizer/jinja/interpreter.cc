#include "engine/tokenizer/jinja/interpreter.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vade::tokenizer::jinja {
namespace {

// Statements, expressions and macro calls on the stack at once. Each level costs well under 2 KB.
constexpr uint32_t kMaxRunDepth = 900;
constexpr uint64_t kStepsPerIteration = 20;  // a scope and the loop variable are built each time
constexpr int64_t kMaxRange = 100'000;       // what Jinja's sandbox allows

struct Scope {
  std::shared_ptr<Scope> parent;
  std::unordered_map<std::string, Value> names;
};
using ScopePtr = std::shared_ptr<Scope>;

enum class Flow { kNormal, kBreak, kContinue };

class Interpreter {
 public:
  explicit Interpreter(Budget budget) : budget_(budget) {}

  Result<std::string> Run(const Body& body, const Dict& variables) {
    const auto globals = std::make_shared<Scope>();
    AddGlobals(*globals);
    for (const auto& [name, value] : variables.entries) globals->names[name] = value;
    const auto top = std::make_shared<Scope>(Scope{globals, {}});
    std::string out;
    VADE_CHECK_OK(ExecuteBody(body, top, out));
    return out;
  }

 private:
  struct DepthGuard {
    explicit DepthGuard(uint32_t& depth) : depth_(depth) { ++depth_; }
    ~DepthGuard() { --depth_; }
    uint32_t& depth_;
  };

  Result<void> Enter(uint32_t line) {
    if (depth_ >= kMaxRunDepth) {
      return Fail(ErrorCode::kResource,
                  "line " + std::to_string(line) + ": template recurses too deeply");
    }
    return budget_.Spend(1);
  }

  // --- Names
  static Value LookUp(const std::string& name, const Scope* scope) {
    for (; scope != nullptr; scope = scope->parent.get()) {
      const auto found = scope->names.find(name);
      if (found != scope->names.end()) return found->second;
    }
    return Value::MakeUndefined("'" + name + "' is undefined");
  }

  void AddGlobals(Scope& scope) {
    const auto add = [&](const char* name, auto function) {
      scope.names[name] = Value(std::make_shared<const Callable>(Callable{name, function}));
    };
    add("raise_exception", [](const Arguments& a) -> Result<Value> {
      const Value* message = a.Find(0, "message");
      return TypeError(message == nullptr ? "" : message->ToString());
    });
    add("range", [this](const Arguments& a) { return Range(a); });
    add("namespace", [](const Arguments& a) { return MakeNamespace(a); });
    add("dict", [this](const Arguments& a) -> Result<Value> {
      Dict dict;
      for (const auto& [key, value] : a.named) dict.Set(key, value);
      return MakeDict(std::move(dict), budget_);
    });
  }

  static Result<Value> MakeNamespace(const Arguments& arguments) {
    auto ns = std::make_shared<Namespace>();
    for (const auto& [name, value] : arguments.named) {
      if (value.HoldsNamespace()) return TypeError("a namespace cannot hold a namespace");
      ns->attributes[name] = value;
    }
    return Value(std::move(ns));
  }

  Result<Value> Range(const Arguments& arguments) {
    int64_t bounds[3] = {0, 0, 1};
    const auto& given = arguments.positional;
    if (given.empty() || given.size() > 3) return TypeError("range expected 1 to 3 arguments");
    for (size_t i = 0; i < given.size(); ++i) {
      if (!given[i].is_int()) {
        return TypeError("'" + std::string(given[i].TypeName()) +
                         "' object cannot be interpreted as an integer");
      }
      bounds[given.size() == 1 ? 1 : i] = given[i].as_int();
    }
    if (bounds[2] == 0) return TypeError("range() arg 3 must not be zero");
    std::vector<Value> items;
    for (int64_t at = bounds[0]; bounds[2] > 0 ? at < bounds[1] : at > bounds[1];) {
      if (items.size() == static_cast<size_t>(kMaxRange)) {
        return Fail(ErrorCode::kResource,
                    "Range too big. The sandbox blocks ranges larger than "
                    "MAX_RANGE (100000).");
      }
      items.emplace_back(at);
      if (__builtin_add_overflow(at, bounds[2], &at)) break;
    }
    VADE_CHECK_OK(budget_.Spend(items.size()));
    return MakeList(std::move(items), budget_);
  }

  // --- Statements
  Result<void> Write(std::string_view text, std::string& out) {
    VADE_CHECK_OK(budget_.Allocate(text.size()));
    out += text;
    return {};
  }

  Result<Flow> ExecuteBody(const Body& body, const ScopePtr& scope, std::string& out) {
    for (const Statement& statement : body) {
      VADE_CHECK_OK(Enter(statement.line));
      const DepthGuard guard(depth_);
      VADE_TRY(const Flow flow, Execute(statement, scope, out));
      if (flow != Flow::kNormal) return flow;
    }
    return Flow::kNormal;
  }

  Result<Flow> Execute(const Statement& s, const ScopePtr& scope, std::string& out) {
    switch (s.kind) {
      case StatementKind::kText:
        VADE_CHECK_OK(Write(s.text, out));
        break;
      case StatementKind::kPrint: {
        VADE_TRY(const Value value, Evaluate(*s.expr, scope));
        VADE_CHECK_OK(budget_.Spend(value.weight() / 8));
        VADE_CHECK_OK(Write(value.ToString(), out));
        break;
      }
      case StatementKind::kIf:
        return ExecuteIf(s, scope, out);
      case StatementKind::kFor:
        return ExecuteFor(s, scope, out);
      case StatementKind::kSet: {
        VADE_TRY(const Value value, Evaluate(*s.expr, scope));
        VADE_CHECK_OK(Assign(s.targets, value, *scope));
        break;
      }
      case StatementKind::kSetAttribute:
        VADE_CHECK_OK(ExecuteSetAttribute(s, scope));
        break;
      case StatementKind::kSetBlock: {
        VADE_TRY(scope->names[s.targets[0]], RenderBlock(s, scope));
        break;
      }
      case StatementKind::kFilterBlock: {
        VADE_TRY(const Value text, RenderBlock(s, scope));
        VADE_CHECK_OK(Write(text.ToString(), out));
        break;
      }
      case StatementKind::kMacro:
        scope->names[s.macro->name] = MakeMacro(s.macro, scope);
        break;
      case StatementKind::kCallBlock:
        VADE_CHECK_OK(ExecuteCallBlock(s, scope, out));
        break;
      case StatementKind::kBreak:
        return Flow::kBreak;
      case StatementKind::kContinue:
        return Flow::kContinue;
    }
    return Flow::kNormal;
  }

  Result<Flow> ExecuteIf(const Statement& s, const ScopePtr& scope, std::string& out) {
    for (const Branch& branch : s.branches) {
      if (branch.condition != nullptr) {
        VADE_TRY(const Value condition, Evaluate(*branch.condition, scope));
        if (!condition.Truthy()) continue;
      }
      return ExecuteBody(branch.body, scope, out);
    }
    return Flow::kNormal;
  }

  Result<void> Assign(const std::vector<std::string>& targets, const Value& value, Scope& scope) {
    if (targets.size() == 1) {
      scope.names[targets[0]] = value;
      return {};
    }
    VADE_TRY(const auto items, Iterate(value, budget_));
    if (items.size() != targets.size()) {
      return TypeError("cannot unpack " + std::to_string(items.size()) + " values into " +
                       std::to_string(targets.size()) + " names");
    }
    for (size_t i = 0; i < items.size(); ++i) scope.names[targets[i]] = items[i];
    return {};
  }

  Result<void> ExecuteSetAttribute(const Statement& s, const ScopePtr& scope) {
    const Value object = LookUp(s.targets[0], scope.get());
    if (object.ns() == nullptr) {
      return TypeError("cannot assign attribute on non-namespace object");
    }
    VADE_TRY(const Value value, Evaluate(*s.expr, scope));
    if (value.HoldsNamespace()) return TypeError("a namespace cannot hold a namespace");
    object.ns()->attributes[s.targets[1]] = value;
    return {};
  }

  // The rendered body, through the filters of {% set x | f %} or {% filter f %}.
  Result<Value> RenderBlock(const Statement& s, const ScopePtr& scope) {
    std::string text;
    VADE_CHECK_OK(ExecuteBody(*s.body, std::make_shared<Scope>(Scope{scope, {}}), text));
    Value value(std::move(text));
    if (s.expr == nullptr) return value;
    return FilterBlockText(*s.expr, value, scope);
  }

  Result<Value> FilterBlockText(const Expr& filter, const Value& text, const ScopePtr& scope) {
    Value input = text;
    if (filter.children[0] != nullptr) {
      VADE_TRY(input, FilterBlockText(*filter.children[0], text, scope));
    }
    VADE_TRY(const Arguments arguments, EvaluateArguments(filter.arguments, scope));
    return ApplyFilter(filter.name, input, arguments, budget_);
  }

  Result<Flow> ExecuteFor(const Statement& s, const ScopePtr& scope, std::string& out) {
    VADE_TRY(const Value iterable, Evaluate(*s.expr, scope));
    VADE_TRY(std::vector<Value> items, Iterate(iterable, budget_));
    if (s.condition != nullptr) {
      VADE_TRY(items, FilterItems(s, items, scope));
    }
    if (items.empty() && s.otherwise != nullptr) return ExecuteBody(*s.otherwise, scope, out);
    ++loop_depth_;
    auto flow = RunLoop(s, items, scope, out);
    --loop_depth_;
    return flow;
  }

  Result<Flow> RunLoop(const Statement& s, const std::vector<Value>& items, const ScopePtr& scope,
                       std::string& out) {
    for (size_t i = 0; i < items.size(); ++i) {
      VADE_CHECK_OK(budget_.Spend(kStepsPerIteration));
      const auto inner = std::make_shared<Scope>(Scope{scope, {}});
      VADE_CHECK_OK(Assign(s.targets, items[i], *inner));
      VADE_TRY(inner->names["loop"], LoopVariable(items, i));
      VADE_TRY(const Flow flow, ExecuteBody(*s.body, inner, out));
      if (flow == Flow::kBreak) break;
    }
    return Flow::kNormal;
  }

  Result<std::vector<Value>> FilterItems(const Statement& s, const std::vector<Value>& items,
                                         const ScopePtr& scope) {
    std::vector<Value> kept;
    for (const Value& item : items) {
      const auto inner = std::make_shared<Scope>(Scope{scope, {}});
      VADE_CHECK_OK(Assign(s.targets, item, *inner));
      VADE_TRY(const Value keep, Evaluate(*s.condition, inner));
      if (keep.Truthy()) kept.push_back(item);
    }
    return kept;
  }

  Result<Value> LoopVariable(const std::vector<Value>& items, size_t i) {
    const auto index = static_cast<int64_t>(i);
    const auto size = static_cast<int64_t>(items.size());
    Dict loop;
    loop.Set("index", index + 1);
    loop.Set("index0", index);
    loop.Set("revindex", size - index);
    loop.Set("revindex0", size - index - 1);
    loop.Set("first", i == 0);
    loop.Set("last", i + 1 == items.size());
    loop.Set("length", size);
    loop.Set("depth", int64_t{loop_depth_});
    loop.Set("depth0", int64_t{loop_depth_} - 1);
    if (i > 0) loop.Set("previtem", items[i - 1]);
    if (i + 1 < items.size()) loop.Set("nextitem", items[i + 1]);
    loop.Set("cycle", Value(std::make_shared<const Callable>(
                          Callable{"cycle", [i](const Arguments& a) -> Result<Value> {
                                     if (a.positional.empty()) {
                                       return TypeError("no items for cycling given");
                                     }
                                     return a.positional[i % a.positional.size()];
                                   }})));
    return Value(std::move(loop));  // its nesting is that of the items, checked when they were made
  }

  // --- Macros
  Value MakeMacro(const std::shared_ptr<const Macro>& macro, const ScopePtr& scope) {
    // Weak: the scope owns the macro, and a macro that outlives its scope is an error, not a leak.
    return Value(std::make_shared<const Callable>(Callable{
        macro->name,
        [this, macro, weak = std::weak_ptr<Scope>(scope)](const Arguments& a) -> Result<Value> {
          const ScopePtr defined_in = weak.lock();
          if (defined_in == nullptr)
            return TypeError("macro '" + macro->name + "' is out of scope");
          return CallMacro(*macro, defined_in, a);
        }}));
  }

  Result<Value> CallMacro(const Macro& macro, const ScopePtr& defined_in,
                          const Arguments& arguments) {
    const auto scope = std::make_shared<Scope>(Scope{defined_in, {}});
    if (arguments.positional.size() > macro.parameters.size()) {
      return TypeError("macro '" + macro.name + "' takes not more than " +
                       std::to_string(macro.parameters.size()) + " argument(s)");
    }
    size_t named_used = 0;
    for (size_t i = 0; i < macro.parameters.size(); ++i) {
      const auto& [name, fallback] = macro.parameters[i];
      if (i < arguments.positional.size()) {
        scope->names[name] = arguments.positional[i];
      } else if (const Value* given = arguments.Find(SIZE_MAX, name)) {
        scope->names[name] = *given;
        ++named_used;
      } else if (fallback != nullptr) {
        VADE_TRY(scope->names[name], Evaluate(*fallback, scope));
      } else {
        scope->names[name] = Value::MakeUndefined("parameter '" + name + "' was not provided");
      }
    }
    if (const Value* caller = arguments.Find(SIZE_MAX, "caller")) {
      scope->names["caller"] = *caller;
      ++named_used;
    }
    if (named_used < arguments.named.size()) {
      return TypeError("macro '" + macro.name + "' takes no such keyword argument");
    }
    std::string text;
    VADE_CHECK_OK(ExecuteBody(*macro.body, scope, text));
    return Value(std::move(text));
  }

  Result<void> ExecuteCallBlock(const Statement& s, const ScopePtr& scope, std::string& out) {
    VADE_TRY(const Value callee, Evaluate(*s.expr->children[0], scope));
    VADE_TRY(Arguments arguments, EvaluateArguments(s.expr->arguments, scope));
    arguments.named.emplace_back("caller", MakeMacro(s.macro, scope));
    VADE_TRY(const Value result, Call(callee, arguments));
    return Write(result.ToString(), out);
  }

  Result<Value> Call(const Value& callee, const Arguments& arguments) {
    if (callee.is_undefined()) return TypeError(callee.undefined_what());
    if (callee.callable() == nullptr) {
      return TypeError("'" + std::string(callee.TypeName()) + "' object is not callable");
    }
    return callee.callable()->call(arguments);
  }

  // --- Expressions
  Result<Arguments> EvaluateArguments(const CallArguments& expressions, const ScopePtr& scope) {
    Arguments arguments;
    for (const ExprPtr& expr : expressions.positional) {
      VADE_TRY(Value value, Evaluate(*expr, scope));
      arguments.positional.push_back(std::move(value));
    }
    for (const auto& [name, expr] : expressions.named) {
      VADE_TRY(Value value, Evaluate(*expr, scope));
      arguments.named.emplace_back(name, std::move(value));
    }
    return arguments;
  }

  Result<Value> Evaluate(const Expr& e, const ScopePtr& scope) {
    VADE_CHECK_OK(Enter(e.line));
    const DepthGuard guard(depth_);
    switch (e.kind) {
      case ExprKind::kLiteral:
        return e.value;
      case ExprKind::kName:
        return LookUp(e.name, scope.get());
      case ExprKind::kList:
      case ExprKind::kTuple:
        return EvaluateList(e, scope);
      case ExprKind::kDict:
        return EvaluateDict(e, scope);
      case ExprKind::kUnary:
        return EvaluateUnary(e, scope);
      case ExprKind::kBinary:
        return EvaluateBinary(e, scope);
      case ExprKind::kCompare:
        return EvaluateCompare(e, scope);
      case ExprKind::kAnd:
      case ExprKind::kOr: {
        VADE_TRY(Value left, Evaluate(*e.children[0], scope));
        if (left.Truthy() == (e.kind == ExprKind::kOr)) return left;
        return Evaluate(*e.children[1], scope);
      }
      case ExprKind::kCondition: {
        VADE_TRY(const Value condition, Evaluate(*e.children[1], scope));
        if (condition.Truthy()) return Evaluate(*e.children[0], scope);
        if (e.children[2] != nullptr) return Evaluate(*e.children[2], scope);
        return Value::MakeUndefined(
            "the inline if-expression evaluated to false and no else "
            "section was defined.");
      }
      case ExprKind::kAttribute: {
        VADE_TRY(const Value object, Evaluate(*e.children[0], scope));
        return GetAttribute(object, e.name, budget_);
      }
      case ExprKind::kItem: {
        VADE_TRY(const Value object, Evaluate(*e.children[0], scope));
        VADE_TRY(const Value key, Evaluate(*e.children[1], scope));
        return GetItem(object, key, budget_);
      }
      case ExprKind::kSlice:
        return EvaluateSlice(e, scope);
      case ExprKind::kCall: {
        VADE_TRY(const Value callee, Evaluate(*e.children[0], scope));
        VADE_TRY(const Arguments arguments, EvaluateArguments(e.arguments, scope));
        return Call(callee, arguments);
      }
      case ExprKind::kFilter: {
        VADE_TRY(const Value value, Evaluate(*e.children[0], scope));
        VADE_TRY(const Arguments arguments, EvaluateArguments(e.arguments, scope));
        VADE_CHECK_OK(budget_.Spend(value.weight() / 8));
        return ApplyFilter(e.name, value, arguments, budget_);
      }
      case ExprKind::kTest: {
        VADE_TRY(const Value value, Evaluate(*e.children[0], scope));
        VADE_TRY(const Arguments arguments, EvaluateArguments(e.arguments, scope));
        VADE_TRY(const bool passed, ApplyTest(e.name, value, arguments, budget_));
        return Value(passed);
      }
    }
    return Fail(ErrorCode::kInternal, "unknown expression");
  }

  Result<Value> EvaluateList(const Expr& e, const ScopePtr& scope) {
    std::vector<Value> items;
    for (const ExprPtr& child : e.children) {
      VADE_TRY(Value item, Evaluate(*child, scope));
      items.push_back(std::move(item));
    }
    return MakeList(std::move(items), budget_,
                    e.kind == ExprKind::kTuple ? ListKind::kTuple : ListKind::kList);
  }

  Result<Value> EvaluateDict(const Expr& e, const ScopePtr& scope) {
    Dict dict;
    for (size_t i = 0; i < e.children.size(); i += 2) {
      VADE_TRY(const Value key, Evaluate(*e.children[i], scope));
      VADE_TRY(Value value, Evaluate(*e.children[i + 1], scope));
      if (key.string() == nullptr) {
        return Fail(ErrorCode::kUnsupported,
                    "dict key of type " + std::string(key.TypeName()) + ", only str is supported");
      }
      dict.Set(*key.string(), std::move(value));
    }
    return MakeDict(std::move(dict), budget_);
  }

  Result<Value> EvaluateSlice(const Expr& e, const ScopePtr& scope) {
    Value parts[4];
    for (size_t i = 0; i < 4; ++i) {
      if (e.children[i] == nullptr) continue;
      VADE_TRY(parts[i], Evaluate(*e.children[i], scope));
    }
    return Slice(parts[0], parts[1], parts[2], parts[3], budget_);
  }

  Result<Value> EvaluateUnary(const Expr& e, const ScopePtr& scope) {
    VADE_TRY(const Value value, Evaluate(*e.children[0], scope));
    if (e.name == "not") return Value(!value.Truthy());
    if (value.is_undefined()) return TypeError(value.undefined_what());
    if (!value.is_number()) {
      return TypeError("bad operand type for unary " + e.name + ": '" +
                       std::string(value.TypeName()) + "'");
    }
    if (value.is_float()) return Value(e.name == "-" ? -value.as_double() : value.as_double());
    int64_t negated = 0;
    if (__builtin_sub_overflow(int64_t{0}, value.as_int(), &negated)) return Overflow();
    return Value(e.name == "-" ? negated : value.as_int());
  }

  Result<Value> EvaluateCompare(const Expr& e, const ScopePtr& scope) {
    VADE_TRY(const Value a, Evaluate(*e.children[0], scope));
    VADE_TRY(const Value b, Evaluate(*e.children[1], scope));
    VADE_CHECK_OK(budget_.Spend(std::min(a.weight(), b.weight()) / 8));
    if (e.name == "==") return Value(Equal(a, b));
    if (e.name == "!=") return Value(!Equal(a, b));
    if (e.name == "in" || e.name == "not in") {
      VADE_TRY(const bool contained, Contains(b, a));
      return Value(contained == (e.name == "in"));
    }
    VADE_TRY(const int order, Compare(a, b));
    if (e.name == "<") return Value(order < 0);
    if (e.name == "<=") return Value(order <= 0);
    return Value(e.name == ">" ? order > 0 : order >= 0);
  }

  static tl::unexpected<Error> Overflow() {
    return Fail(ErrorCode::kUnsupported, "integers beyond 64 bits are not supported");
  }

  static tl::unexpected<Error> UnsupportedOperands(const std::string& op, const Value& a,
                                                   const Value& b) {
    for (const Value* value : {&a, &b}) {
      if (value->is_undefined()) return TypeError(value->undefined_what());
    }
    return TypeError("unsupported operand type(s) for " + op + ": '" + std::string(a.TypeName()) +
                     "' and '" + std::string(b.TypeName()) + "'");
  }

  Result<Value> EvaluateBinary(const Expr& e, const ScopePtr& scope) {
    VADE_TRY(const Value a, Evaluate(*e.children[0], scope));
    VADE_TRY(const Value b, Evaluate(*e.children[1], scope));
    VADE_CHECK_OK(budget_.Spend((a.weight() + b.weight()) / 8));
    if (e.name == "~") return MakeString(a.ToString() + b.ToString(), budget_);
    if (a.is_number() && b.is_number()) return Arithmetic(e.name, a, b);
    if (e.name == "+") return Concatenate(a, b);
    if (e.name == "*") return Repeat(a, b);
    if (e.name == "%" && a.string() != nullptr) {
      const bool tuple = b.list() != nullptr && b.list()->kind == ListKind::kTuple;
      return PercentFormat(*a.string(), tuple ? b.list()->items : std::vector<Value>{b}, budget_);
    }
    return UnsupportedOperands(e.name, a, b);
  }

  // a + b of two strings. Markup escapes what is added to it, even where ~ does not.
  Result<Value> JoinText(const Value& a, const Value& b) {
    if (!a.is_markup() && !b.is_markup()) {
      return MakeString(a.ToString() + b.ToString(), budget_);
    }
    const auto text = [](const Value& v) {
      return v.is_markup() ? v.ToString() : EscapeHtml(v.ToString());
    };
    std::string joined = text(a) + text(b);
    VADE_CHECK_OK(budget_.Allocate(joined.size()));
    return Value::MakeMarkup(std::move(joined));
  }

  Result<Value> Concatenate(const Value& a, const Value& b) {
    if (a.string() != nullptr && b.string() != nullptr) return JoinText(a, b);
    if (a.list() != nullptr && b.list() != nullptr && a.list()->kind == b.list()->kind) {
      std::vector<Value> items = a.list()->items;
      items.insert(items.end(), b.list()->items.begin(), b.list()->items.end());
      return MakeList(std::move(items), budget_, a.list()->kind);
    }
    if (a.string() != nullptr && !b.is_undefined()) {
      return TypeError("can only concatenate str (not \"" + std::string(b.TypeName()) +
                       "\") to str");
    }
    return UnsupportedOperands("+", a, b);
  }

  Result<Value> Repeat(const Value& a, const Value& b) {
    const Value& what = a.is_number() ? b : a;
    const Value& times = a.is_number() ? a : b;
    if ((what.string() == nullptr && what.list() == nullptr) || !times.is_number() ||
        times.is_float()) {
      return UnsupportedOperands("*", a, b);
    }
    const auto count = static_cast<uint64_t>(std::max<int64_t>(0, times.as_int()));
    VADE_TRY(const int64_t length, Length(what));
    uint64_t total = 0;
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(length) * sizeof(Value), &total)) {
      return budget_.Allocate(UINT64_MAX).map([] { return Value(); });
    }
    VADE_CHECK_OK(budget_.Allocate(total));
    if (const auto* text = what.string()) {
      std::string out;
      for (uint64_t i = 0; i < count && !text->empty(); ++i) out += *text;
      return Value(std::move(out));
    }
    std::vector<Value> items;
    const auto& source = what.list()->items;
    for (uint64_t i = 0; i < count && !source.empty(); ++i) {
      items.insert(items.end(), source.begin(), source.end());
    }
    return MakeList(std::move(items), budget_, what.list()->kind);
  }

  static Result<Value> Arithmetic(const std::string& op, const Value& a, const Value& b) {
    if (op == "/" || op == "**" || a.is_float() || b.is_float()) return FloatArithmetic(op, a, b);
    const int64_t x = a.as_int(), y = b.as_int();
    int64_t out = 0;
    if (op == "//" || op == "%") {
      if (y == 0) return TypeError("integer division or modulo by zero");
      if (y == -1) {
        if (op == "%") return Value(int64_t{0});
        if (__builtin_sub_overflow(int64_t{0}, x, &out)) return Overflow();
        return Value(out);
      }
      const bool round_down = x % y != 0 && (x < 0) != (y < 0);
      if (op == "//") return Value(x / y - (round_down ? 1 : 0));
      return Value(x % y + (round_down ? y : 0));
    }
    const bool overflow = op == "+"   ? __builtin_add_overflow(x, y, &out)
                          : op == "-" ? __builtin_sub_overflow(x, y, &out)
                                      : __builtin_mul_overflow(x, y, &out);
    if (overflow) return Overflow();
    return Value(out);
  }

  static Result<Value> FloatArithmetic(const std::string& op, const Value& a, const Value& b) {
    const double x = a.as_double(), y = b.as_double();
    if (op == "+") return Value(x + y);
    if (op == "-") return Value(x - y);
    if (op == "*") return Value(x * y);
    if (op == "**") {
      const double power = std::pow(x, y);
      const bool integral = !a.is_float() && !b.is_float() && y >= 0;
      if (integral && std::fabs(power) > 9e15) return Overflow();
      return integral ? Value(static_cast<int64_t>(power)) : Value(power);
    }
    if (y == 0) return TypeError("division by zero");
    if (op == "/") return Value(x / y);
    const double quotient = std::floor(x / y);
    return op == "//" ? Value(quotient) : Value(x - quotient * y);
  }

  Budget budget_;
  uint32_t depth_ = 0;
  uint32_t loop_depth_ = 0;
};

}  // namespace

Result<std::string> Render(const Body& body, const Dict& variables, Budget budget) {
  return Interpreter(budget).Run(body, variables);
}

}  // namespace vade::tokenizer::jinja
