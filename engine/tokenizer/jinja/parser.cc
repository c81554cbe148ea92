// Recursive descent in Jinja's own precedence: condition, or, and, not, comparison, + -, ~, * / //
// %,
// **, unary, postfix, filter and test.
#include "engine/tokenizer/jinja/parser.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace vade::tokenizer::jinja {
namespace {

// Real templates nest below 40. The bound keeps every later walk of the tree off the stack's end.
constexpr uint32_t kMaxDepth = 256;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Body> Run() {
    VADE_TRY(Body body, ParseBody({}));
    return body;
  }

 private:
  // --- Tokens
  const Token& Now() const { return tokens_[at_]; }
  const Token& Next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void Step() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool Is(TokenKind kind, std::string_view text) const {
    return Now().kind == kind && Now().text == text;
  }
  bool IsOperator(std::string_view text) const { return Is(TokenKind::kOperator, text); }
  bool IsName(std::string_view text) const { return Is(TokenKind::kName, text); }
  bool SkipOperator(std::string_view text) {
    if (!IsOperator(text)) return false;
    Step();
    return true;
  }
  bool SkipName(std::string_view text) {
    if (!IsName(text)) return false;
    Step();
    return true;
  }
  tl::unexpected<Error> Unexpected(std::string_view expected) const {
    const std::string got = Now().kind == TokenKind::kEnd ? "the end" : "'" + Now().text + "'";
    return Fail(ErrorCode::kInvalidArgument, "line " + std::to_string(Now().line) + ": got " + got +
                                                 ", expected " + std::string(expected));
  }
  Result<void> ExpectOperator(std::string_view text) {
    if (SkipOperator(text)) return {};
    return Unexpected("'" + std::string(text) + "'");
  }
  Result<std::string> ExpectName() {
    if (Now().kind != TokenKind::kName) return Unexpected("a name");
    std::string name = Now().text;
    Step();
    return name;
  }
  Result<void> ExpectKind(TokenKind kind, std::string_view what) {
    if (Now().kind != kind) return Unexpected(what);
    Step();
    return {};
  }

  // --- Nodes
  struct DepthGuard {
    explicit DepthGuard(uint32_t& depth) : depth_(depth) { ++depth_; }
    ~DepthGuard() { --depth_; }
    uint32_t& depth_;
  };
  tl::unexpected<Error> TooDeep() const {
    return Fail(ErrorCode::kResource, "line " + std::to_string(Now().line) +
                                          ": nested deeper than " + std::to_string(kMaxDepth));
  }
  Result<ExprPtr> Make(ExprKind kind, std::string name, std::vector<ExprPtr> children,
                       CallArguments arguments = {}) {
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->name = std::move(name);
    expr->line = Now().line;
    const auto include = [&](const ExprPtr& child) {
      if (child != nullptr) expr->depth = std::max(expr->depth, child->depth + 1);
    };
    std::for_each(children.begin(), children.end(), include);
    for (const ExprPtr& argument : arguments.positional) include(argument);
    for (const auto& [key, argument] : arguments.named) include(argument);
    if (expr->depth > kMaxDepth) return TooDeep();
    expr->children = std::move(children);
    expr->arguments = std::move(arguments);
    return expr;
  }
  template <typename... Children>
  Result<ExprPtr> MakeOf(ExprKind kind, std::string name, Children... child) {
    std::vector<ExprPtr> children;
    (children.push_back(std::move(child)), ...);
    return Make(kind, std::move(name), std::move(children));
  }
  ExprPtr MakeLiteral(Value value) {
    auto expr = std::make_unique<Expr>();
    expr->value = std::move(value);
    expr->line = Now().line;
    return expr;
  }

  // --- Expressions
  Result<ExprPtr> ParseExpression(bool with_condition = true) {
    if (depth_ >= kMaxDepth) return TooDeep();
    const DepthGuard guard(depth_);
    VADE_TRY(ExprPtr expr, ParseOr());
    while (with_condition && SkipName("if")) {
      VADE_TRY(ExprPtr condition, ParseOr());
      ExprPtr otherwise;
      if (SkipName("else")) {
        VADE_TRY(otherwise, ParseExpression());
      }
      VADE_TRY(expr, MakeOf(ExprKind::kCondition, "", std::move(expr), std::move(condition),
                            std::move(otherwise)));
    }
    return expr;
  }

  Result<ExprPtr> ParseOr() {
    VADE_TRY(ExprPtr left, ParseAnd());
    while (SkipName("or")) {
      VADE_TRY(ExprPtr right, ParseAnd());
      VADE_TRY(left, MakeOf(ExprKind::kOr, "or", std::move(left), std::move(right)));
    }
    return left;
  }

  Result<ExprPtr> ParseAnd() {
    VADE_TRY(ExprPtr left, ParseNot());
    while (SkipName("and")) {
      VADE_TRY(ExprPtr right, ParseNot());
      VADE_TRY(left, MakeOf(ExprKind::kAnd, "and", std::move(left), std::move(right)));
    }
    return left;
  }

  Result<ExprPtr> ParseNot() {
    if (!IsName("not")) return ParseCompare();
    if (depth_ >= kMaxDepth) return TooDeep();
    const DepthGuard guard(depth_);
    Step();
    VADE_TRY(ExprPtr operand, ParseNot());
    return MakeOf(ExprKind::kUnary, "not", std::move(operand));
  }

  // The comparison operator at the current token, skipped; empty if there is none.
  std::string SkipComparison() {
    for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (SkipOperator(op)) return std::string(op);
    }
    if (SkipName("in")) return "in";
    if (IsName("not") && Next().kind == TokenKind::kName && Next().text == "in") {
      Step();
      Step();
      return "not in";
    }
    return "";
  }

  Result<ExprPtr> ParseCompare() {
    VADE_TRY(ExprPtr left, ParseSum());
    std::string op = SkipComparison();
    if (op.empty()) return left;
    VADE_TRY(ExprPtr right, ParseSum());
    VADE_TRY(left, MakeOf(ExprKind::kCompare, std::move(op), std::move(left), std::move(right)));
    if (!SkipComparison().empty()) {
      return Fail(ErrorCode::kUnsupported,
                  "line " + std::to_string(Now().line) + ": chained comparison");
    }
    return left;
  }

  using ParseOperand = Result<ExprPtr> (Parser::*)();
  Result<ExprPtr> ParseLeftAssociative(std::initializer_list<std::string_view> operators,
                                       ParseOperand operand) {
    VADE_TRY(ExprPtr left, (this->*operand)());
    while (Now().kind == TokenKind::kOperator &&
           std::find(operators.begin(), operators.end(), Now().text) != operators.end()) {
      std::string op = Now().text;
      Step();
      VADE_TRY(ExprPtr right, (this->*operand)());
      VADE_TRY(left, MakeOf(ExprKind::kBinary, std::move(op), std::move(left), std::move(right)));
    }
    return left;
  }
  Result<ExprPtr> ParseSum() { return ParseLeftAssociative({"+", "-"}, &Parser::ParseConcat); }
  Result<ExprPtr> ParseConcat() { return ParseLeftAssociative({"~"}, &Parser::ParseProduct); }
  Result<ExprPtr> ParseProduct() {
    return ParseLeftAssociative({"*", "/", "//", "%"}, &Parser::ParsePower);
  }
  Result<ExprPtr> ParsePower() {
    return ParseLeftAssociative({"**"}, &Parser::ParseUnaryWithFilters);
  }

  Result<ExprPtr> ParseUnaryWithFilters() {
    VADE_TRY(ExprPtr expr, ParseUnary());
    return ParseFiltersAndTests(std::move(expr));
  }

  Result<ExprPtr> ParseUnary() {
    if (!IsOperator("-") && !IsOperator("+")) {
      VADE_TRY(ExprPtr primary, ParsePrimary());
      return ParsePostfix(std::move(primary));
    }
    if (depth_ >= kMaxDepth) return TooDeep();
    const DepthGuard guard(depth_);
    std::string op = Now().text;
    Step();
    VADE_TRY(ExprPtr operand, ParseUnary());
    return MakeOf(ExprKind::kUnary, std::move(op), std::move(operand));
  }

  Result<ExprPtr> ParseNumber() {
    const Token token = Now();
    const char* begin = token.text.data();
    const char* end = begin + token.text.size();
    int64_t integer = 0;
    double real = 0;
    const auto error = token.kind == TokenKind::kInteger ? std::from_chars(begin, end, integer).ec
                                                         : std::from_chars(begin, end, real).ec;
    if (error != std::errc()) return Unexpected("a number that fits 64 bits");
    Step();
    return MakeLiteral(token.kind == TokenKind::kInteger ? Value(integer) : Value(real));
  }

  Result<ExprPtr> ParsePrimary() {
    const Token& token = Now();
    if (token.kind == TokenKind::kInteger || token.kind == TokenKind::kFloat) return ParseNumber();
    if (token.kind == TokenKind::kString) {
      std::string text;
      for (; Now().kind == TokenKind::kString; Step()) text += Now().text;
      return MakeLiteral(Value(std::move(text)));
    }
    if (token.kind == TokenKind::kName) return ParseNameOrConstant();
    if (SkipOperator("(")) return ParseParenthesis();
    if (SkipOperator("[")) {
      VADE_TRY(auto items, ParseItems("]"));
      return Make(ExprKind::kList, "", std::move(items));
    }
    if (SkipOperator("{")) return ParseDict();
    return Unexpected("an expression");
  }

  Result<ExprPtr> ParseNameOrConstant() {
    std::string name = Now().text;
    Step();
    if (name == "true" || name == "True") return MakeLiteral(Value(true));
    if (name == "false" || name == "False") return MakeLiteral(Value(false));
    if (name == "none" || name == "None") return MakeLiteral(Value());
    return Make(ExprKind::kName, std::move(name), {});
  }

  Result<std::vector<ExprPtr>> ParseItems(std::string_view close) {
    std::vector<ExprPtr> items;
    while (!SkipOperator(close)) {
      if (!items.empty()) {
        VADE_CHECK_OK(ExpectOperator(","));
        if (SkipOperator(close)) break;
      }
      VADE_TRY(ExprPtr item, ParseExpression());
      items.push_back(std::move(item));
    }
    return items;
  }

  Result<ExprPtr> ParseParenthesis() {
    if (SkipOperator(")")) return Make(ExprKind::kTuple, "", {});
    VADE_TRY(ExprPtr first, ParseExpression());
    if (SkipOperator(")")) return first;
    VADE_CHECK_OK(ExpectOperator(","));
    VADE_TRY(auto items, ParseItems(")"));
    items.insert(items.begin(), std::move(first));
    return Make(ExprKind::kTuple, "", std::move(items));
  }

  Result<ExprPtr> ParseDict() {
    std::vector<ExprPtr> entries;
    while (!SkipOperator("}")) {
      if (!entries.empty()) {
        VADE_CHECK_OK(ExpectOperator(","));
        if (SkipOperator("}")) break;
      }
      VADE_TRY(ExprPtr key, ParseExpression());
      VADE_CHECK_OK(ExpectOperator(":"));
      VADE_TRY(ExprPtr value, ParseExpression());
      entries.push_back(std::move(key));
      entries.push_back(std::move(value));
    }
    return Make(ExprKind::kDict, "", std::move(entries));
  }

  Result<ExprPtr> ParsePostfix(ExprPtr expr) {
    while (true) {
      if (SkipOperator(".")) {
        if (Now().kind == TokenKind::kInteger) {
          VADE_TRY(ExprPtr index, ParseNumber());
          VADE_TRY(expr, MakeOf(ExprKind::kItem, "", std::move(expr), std::move(index)));
          continue;
        }
        VADE_TRY(std::string name, ExpectName());
        VADE_TRY(expr, MakeOf(ExprKind::kAttribute, std::move(name), std::move(expr)));
      } else if (SkipOperator("[")) {
        VADE_TRY(expr, ParseSubscript(std::move(expr)));
      } else if (IsOperator("(")) {
        VADE_TRY(auto arguments, ParseArguments());
        std::vector<ExprPtr> callee;
        callee.push_back(std::move(expr));
        VADE_TRY(expr, Make(ExprKind::kCall, "", std::move(callee), std::move(arguments)));
      } else {
        return expr;
      }
    }
  }

  Result<ExprPtr> ParseSubscript(ExprPtr object) {
    std::vector<ExprPtr> parts;
    parts.push_back(std::move(object));
    bool slice = false;
    parts.emplace_back();
    while (!SkipOperator("]")) {
      if (SkipOperator(":")) {
        slice = true;
        if (parts.size() == 4) return Unexpected("']'");
        parts.emplace_back();
        continue;
      }
      if (parts.back() != nullptr) return Unexpected("']'");
      VADE_TRY(parts.back(), ParseExpression());
    }
    if (slice) {
      parts.resize(4);
      return Make(ExprKind::kSlice, "", std::move(parts));
    }
    if (parts[1] == nullptr) return Unexpected("an index");
    return Make(ExprKind::kItem, "", std::move(parts));
  }

  Result<CallArguments> ParseArguments() {
    VADE_CHECK_OK(ExpectOperator("("));
    CallArguments arguments;
    bool first = true;
    while (!SkipOperator(")")) {
      if (!std::exchange(first, false)) {
        VADE_CHECK_OK(ExpectOperator(","));
        if (SkipOperator(")")) break;
      }
      const bool named = Now().kind == TokenKind::kName && Next().kind == TokenKind::kOperator &&
                         Next().text == "=";
      std::string name;
      if (named) {
        name = Now().text;
        Step();
        Step();
      } else if (!arguments.named.empty()) {
        return Unexpected("a named argument");
      }
      VADE_TRY(ExprPtr value, ParseExpression());
      if (named) {
        arguments.named.emplace_back(std::move(name), std::move(value));
      } else {
        arguments.positional.push_back(std::move(value));
      }
    }
    return arguments;
  }

  Result<ExprPtr> ParseFilter(ExprPtr object) {
    VADE_TRY(std::string name, ExpectName());
    CallArguments arguments;
    if (IsOperator("(")) {
      VADE_TRY(arguments, ParseArguments());
    }
    std::vector<ExprPtr> children;
    children.push_back(std::move(object));
    return Make(ExprKind::kFilter, std::move(name), std::move(children), std::move(arguments));
  }

  Result<ExprPtr> ParseFiltersAndTests(ExprPtr expr) {
    while (true) {
      if (SkipOperator("|")) {
        VADE_TRY(expr, ParseFilter(std::move(expr)));
        VADE_TRY(expr, ParsePostfix(std::move(expr)));
      } else if (SkipName("is")) {
        VADE_TRY(expr, ParseTest(std::move(expr)));
      } else {
        return expr;
      }
    }
  }

  // "is divisibleby 3" has its one argument without parentheses.
  bool AtBareTestArgument() const {
    switch (Now().kind) {
      case TokenKind::kString:
      case TokenKind::kInteger:
      case TokenKind::kFloat:
        return true;
      case TokenKind::kOperator:
        return Now().text == "[" || Now().text == "{";
      case TokenKind::kName:
        return Now().text != "and" && Now().text != "or" && Now().text != "else" &&
               Now().text != "if" && Now().text != "is" && Now().text != "in" &&
               Now().text != "not";
      default:
        return false;
    }
  }

  Result<ExprPtr> ParseTest(ExprPtr object) {
    const bool negated = SkipName("not");
    VADE_TRY(std::string name, ExpectName());
    CallArguments arguments;
    if (IsOperator("(")) {
      VADE_TRY(arguments, ParseArguments());
    } else if (AtBareTestArgument()) {
      VADE_TRY(ExprPtr argument, ParsePrimary());
      VADE_TRY(argument, ParsePostfix(std::move(argument)));
      arguments.positional.push_back(std::move(argument));
    }
    std::vector<ExprPtr> children;
    children.push_back(std::move(object));
    VADE_TRY(ExprPtr test,
             Make(ExprKind::kTest, std::move(name), std::move(children), std::move(arguments)));
    if (!negated) return test;
    return MakeOf(ExprKind::kUnary, "not", std::move(test));
  }

  // One expression, or a tuple without parentheses: "a, b".
  Result<ExprPtr> ParseTuple(bool with_condition) {
    VADE_TRY(ExprPtr first, ParseExpression(with_condition));
    if (!IsOperator(",")) return first;
    std::vector<ExprPtr> items;
    items.push_back(std::move(first));
    while (SkipOperator(",")) {
      if (Now().kind == TokenKind::kBlockEnd || Now().kind == TokenKind::kPrintEnd) break;
      VADE_TRY(ExprPtr item, ParseExpression(with_condition));
      items.push_back(std::move(item));
    }
    return Make(ExprKind::kTuple, "", std::move(items));
  }

  // --- Statements
  bool AtTag(std::initializer_list<std::string_view> names) const {
    if (Now().kind != TokenKind::kBlockBegin || Next().kind != TokenKind::kName) return false;
    return std::find(names.begin(), names.end(), Next().text) != names.end();
  }

  // Statements up to a tag named in `until`, which is left in place.
  Result<Body> ParseBody(std::initializer_list<std::string_view> until) {
    if (depth_ >= kMaxDepth) return TooDeep();
    const DepthGuard guard(depth_);
    Body body;
    while (!AtTag(until)) {
      if (Now().kind == TokenKind::kEnd) {
        if (until.size() == 0) return body;
        return Unexpected("'" + std::string(*until.begin()) + "'");
      }
      VADE_CHECK_OK(ParseStatement(body));
    }
    return body;
  }

  Result<std::shared_ptr<const Body>> ParseSharedBody(
      std::initializer_list<std::string_view> until) {
    VADE_TRY(Body body, ParseBody(until));
    return std::make_shared<const Body>(std::move(body));
  }

  Result<void> ParseStatement(Body& body) {
    Statement statement;
    statement.line = Now().line;
    if (Now().kind == TokenKind::kText) {
      statement.text = Now().text;
      Step();
    } else if (Now().kind == TokenKind::kPrintBegin) {
      Step();
      statement.kind = StatementKind::kPrint;
      VADE_TRY(statement.expr, ParseTuple(true));
      VADE_CHECK_OK(ExpectKind(TokenKind::kPrintEnd, "'}}'"));
    } else {
      Step();  // {%
      VADE_TRY(const std::string tag, ExpectName());
      if (tag == "generation") {  // marks assistant text for training; its content is plain output
        VADE_CHECK_OK(EndTag());
        VADE_TRY(Body inner, ParseBody({"endgeneration"}));
        VADE_CHECK_OK(SkipTag("endgeneration"));
        std::move(inner.begin(), inner.end(), std::back_inserter(body));
        return {};
      }
      VADE_CHECK_OK(ParseTag(tag, statement));
    }
    body.push_back(std::move(statement));
    return {};
  }

  Result<void> EndTag() { return ExpectKind(TokenKind::kBlockEnd, "'%}'"); }

  // {% name %}
  Result<void> SkipTag(std::string_view name) {
    VADE_CHECK_OK(ExpectKind(TokenKind::kBlockBegin, "'{%'"));
    if (!SkipName(name)) return Unexpected("'" + std::string(name) + "'");
    if (name == "endmacro" && Now().kind == TokenKind::kName) Step();  // {% endmacro name %}
    return EndTag();
  }

  Result<void> ParseTag(const std::string& tag, Statement& s) {
    if (tag == "if") return ParseIf(s);
    if (tag == "for") return ParseFor(s);
    if (tag == "set") return ParseSet(s);
    if (tag == "macro") return ParseMacro(s);
    if (tag == "call") return ParseCallBlock(s);
    if (tag == "filter") return ParseFilterBlock(s);
    if (tag == "break" || tag == "continue") {
      s.kind = tag == "break" ? StatementKind::kBreak : StatementKind::kContinue;
      if (loops_ == 0) return Unexpected("a loop around '" + tag + "'");
      return EndTag();
    }
    return Fail(ErrorCode::kUnsupported,
                "line " + std::to_string(s.line) + ": tag '" + tag + "' is not supported");
  }

  Result<void> ParseIf(Statement& s) {
    s.kind = StatementKind::kIf;
    VADE_TRY(ExprPtr condition, ParseExpression());
    VADE_CHECK_OK(EndTag());
    while (true) {
      VADE_TRY(Body body, ParseBody({"endif", "elif", "else"}));
      s.branches.push_back({std::move(condition), std::move(body)});
      Step();  // {%
      if (SkipName("elif")) {
        VADE_TRY(condition, ParseExpression());
        VADE_CHECK_OK(EndTag());
        continue;
      }
      if (SkipName("else")) {
        VADE_CHECK_OK(EndTag());
        VADE_TRY(Body otherwise, ParseBody({"endif"}));
        s.branches.push_back({nullptr, std::move(otherwise)});
        Step();
      }
      Step();  // endif
      return EndTag();
    }
  }

  Result<void> ParseFor(Statement& s) {
    s.kind = StatementKind::kFor;
    VADE_TRY(s.targets, ParseTargets());
    if (!SkipName("in")) return Unexpected("'in'");
    VADE_TRY(s.expr, ParseTuple(false));
    if (SkipName("if")) {
      VADE_TRY(s.condition, ParseExpression());
    }
    if (IsName("recursive")) {
      return Fail(ErrorCode::kUnsupported,
                  "line " + std::to_string(s.line) + ": recursive loops are not supported");
    }
    VADE_CHECK_OK(EndTag());
    {
      const DepthGuard loop(loops_);
      VADE_TRY(s.body, ParseSharedBody({"endfor", "else"}));
    }
    Step();  // {%
    if (SkipName("else")) {
      VADE_CHECK_OK(EndTag());
      VADE_TRY(s.otherwise, ParseSharedBody({"endfor"}));
      Step();
    }
    Step();  // endfor
    return EndTag();
  }

  Result<std::vector<std::string>> ParseTargets() {
    std::vector<std::string> targets;
    const bool parenthesis = SkipOperator("(");
    do {
      VADE_TRY(std::string name, ExpectName());
      targets.push_back(std::move(name));
    } while (SkipOperator(","));
    if (parenthesis) VADE_CHECK_OK(ExpectOperator(")"));
    return targets;
  }

  Result<void> ParseSet(Statement& s) {
    VADE_TRY(s.targets, ParseTargets());
    if (s.targets.size() == 1 && SkipOperator(".")) {
      VADE_TRY(std::string attribute, ExpectName());
      s.targets.push_back(std::move(attribute));
      s.kind = StatementKind::kSetAttribute;
      VADE_CHECK_OK(ExpectOperator("="));
    } else if (SkipOperator("=")) {
      s.kind = StatementKind::kSet;
    } else {
      return ParseSetBlock(s);
    }
    VADE_TRY(s.expr, ParseTuple(true));
    return EndTag();
  }

  Result<void> ParseSetBlock(Statement& s) {
    s.kind = StatementKind::kSetBlock;
    if (s.targets.size() != 1) return Unexpected("'='");
    while (SkipOperator("|")) {
      VADE_TRY(s.expr, ParseFilter(std::move(s.expr)));
    }
    VADE_CHECK_OK(EndTag());
    VADE_TRY(s.body, ParseSharedBody({"endset"}));
    return SkipTag("endset");
  }

  Result<std::vector<std::pair<std::string, ExprPtr>>> ParseParameters() {
    std::vector<std::pair<std::string, ExprPtr>> parameters;
    VADE_CHECK_OK(ExpectOperator("("));
    while (!SkipOperator(")")) {
      if (!parameters.empty()) VADE_CHECK_OK(ExpectOperator(","));
      VADE_TRY(std::string name, ExpectName());
      ExprPtr fallback;
      if (SkipOperator("=")) {
        VADE_TRY(fallback, ParseExpression());
      }
      parameters.emplace_back(std::move(name), std::move(fallback));
    }
    return parameters;
  }

  Result<void> ParseMacro(Statement& s) {
    s.kind = StatementKind::kMacro;
    Macro macro;
    VADE_TRY(macro.name, ExpectName());
    VADE_TRY(macro.parameters, ParseParameters());
    VADE_CHECK_OK(EndTag());
    const uint32_t outer_loops = std::exchange(loops_, 0);
    VADE_TRY(macro.body, ParseSharedBody({"endmacro"}));
    loops_ = outer_loops;
    s.macro = std::make_shared<const Macro>(std::move(macro));
    return SkipTag("endmacro");
  }

  Result<void> ParseCallBlock(Statement& s) {
    s.kind = StatementKind::kCallBlock;
    Macro caller;
    caller.name = "caller";
    if (IsOperator("(")) {
      VADE_TRY(caller.parameters, ParseParameters());
    }
    VADE_TRY(s.expr, ParseExpression());
    if (s.expr->kind != ExprKind::kCall) return Unexpected("a call");
    VADE_CHECK_OK(EndTag());
    const uint32_t outer_loops = std::exchange(loops_, 0);
    VADE_TRY(caller.body, ParseSharedBody({"endcall"}));
    loops_ = outer_loops;
    s.macro = std::make_shared<const Macro>(std::move(caller));
    return SkipTag("endcall");
  }

  Result<void> ParseFilterBlock(Statement& s) {
    s.kind = StatementKind::kFilterBlock;
    do {
      VADE_TRY(s.expr, ParseFilter(std::move(s.expr)));
    } while (SkipOperator("|"));
    VADE_CHECK_OK(EndTag());
    VADE_TRY(s.body, ParseSharedBody({"endfilter"}));
    return SkipTag("endfilter");
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  uint32_t depth_ = 0;
  uint32_t loops_ = 0;
};

}  // namespace

Result<Body> Parse(std::vector<Token> tokens) { return Parser(std::move(tokens)).Run(); }

}  // namespace vade::tokenizer::jinja
