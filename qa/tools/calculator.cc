// Recursive descent; parentheses, signs and powers count as levels.
#include "qa/tools/calculator.h"

#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kMaxBytes = 1000;
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxArguments = 100;
constexpr int64_t kMaxDecimals = 30;

/// A number and, while nothing else was done with it, the degrees it was written in.
struct Value {
  Number number;
  std::optional<Number> degrees;
};

// Signs that people and models write for the ASCII ones.
std::string Ascii(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kSigns[] = {
      {"×", "*"},  {"·", "*"},    {"÷", "/"},    {"−", "-"},  {"–", "-"},
      {"π", "pi"}, {"√", "sqrt"}, {"°", " deg"}, {"**", "^"}, {"\u00a0", " "}};
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    for (const auto& [sign, ascii] : kSigns) {
      if (!text.substr(at).starts_with(sign)) continue;
      out += ascii;
      length = sign.size();
      break;
    }
    if (length == 0) {
      out += text[at];
      length = 1;
    }
    at += length;
  }
  return out;
}

// Exact at the multiples of 30 and 45 degrees that people ask for.
double SineOfDegrees(double degrees) {
  double rest = std::fmod(degrees, 360);
  if (rest < 0) rest += 360;
  const double sign = rest >= 180 ? -1 : 1;
  if (rest >= 180) rest -= 180;
  if (rest > 90) rest = 180 - rest;
  if (rest == 0) return 0;
  if (rest == 30) return sign * 0.5;
  const double radians = std::numbers::pi / 180;
  return sign * (rest <= 45 ? std::sin(rest * radians) : std::cos((90 - rest) * radians));
}

// A result below what the rounding of its argument already causes has no true digit: sin(pi) is 0.
double WithoutNoise(double result, double argument) {
  return std::abs(result) <= 1.3e-16 * std::max(1.0, std::abs(argument)) ? 0 : result;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Number> Run() {
    VADE_TRY(const Value value, Sum());
    SkipBlank();
    if (at_ < text_.size()) return Expected(text_[at_] == ')' ? "no more ')'" : "an operator");
    if (!std::isfinite(value.number.value())) {
      return Fail(ErrorCode::kInvalidArgument, "the result is too large");
    }
    return value.number;
  }

 private:
  void SkipBlank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
  }
  char Peek() {
    SkipBlank();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Take(char c) {
    if (Peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  static bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  // Could a value begin here?
  bool AtOperand() {
    const char c = Peek();
    return IsDigit(c) || c == '.' || c == '(' || IsLetter(c);
  }

  [[nodiscard]] tl::unexpected<Error> At(size_t place, const std::string& message) const {
    return Fail(ErrorCode::kInvalidArgument, "at " + std::to_string(place + 1) + ": " + message);
  }
  tl::unexpected<Error> Expected(const std::string& what) {
    SkipBlank();
    if (at_ >= text_.size()) return At(at_, "expected " + what + ", got the end");
    const size_t length = utf8::Decode(text_, at_).length;
    return At(at_, "expected " + what + ", got '" + utf8::Escape(text_.substr(at_, length)) + "'");
  }

  Result<Value> Sum() {
    VADE_TRY(Value left, Product());
    for (;;) {
      const bool plus = Take('+');
      if (!plus && !Take('-')) return left;
      VADE_TRY(const Value right, Product());
      left = {plus ? left.number + right.number : left.number - right.number, {}};
    }
  }

  Result<Value> Product() {
    VADE_TRY(Value left, Signed());
    for (;;) {
      const size_t place = (SkipBlank(), at_);
      const char sign = Peek();
      if (sign != '*' && sign != '/' && sign != '%') return left;
      ++at_;
      VADE_TRY(const Value right, Signed());
      if (sign == '*') {
        left = {left.number * right.number, {}};
      } else if (right.number.is_zero()) {
        return At(place, "division by zero");
      } else {
        left = {sign == '/' ? left.number / right.number : left.number % right.number, {}};
      }
    }
  }

  Result<Value> Signed() {
    if (depth_ >= kMaxDepth) return At(at_, "nested more than 64 deep");
    ++depth_;
    auto value = SignedInside();
    --depth_;
    return value;
  }

  Result<Value> SignedInside() {
    if (Take('+')) return Signed();
    if (!Take('-')) return Power();
    VADE_TRY(Value value, Signed());
    value.number = -value.number;
    if (value.degrees) value.degrees = -*value.degrees;
    return value;
  }

  Result<Value> Power() {
    VADE_TRY(Value base, Postfix());
    SkipBlank();
    const size_t place = at_;
    if (!Take('^')) return base;
    VADE_TRY(const Value exponent, Signed());
    auto power = base.number.Power(exponent.number);
    if (!power) return At(place, power.error().message);
    return Value{*power, {}};
  }

  Result<Value> Postfix() {
    VADE_TRY(Value value, Primary());
    for (;;) {
      SkipBlank();
      const size_t place = at_;
      if (Take('%')) {
        if (AtOperand()) {  // a remainder
          at_ = place;
          return value;
        }
        value = {value.number / Number::Whole(100), {}};
        continue;
      }
      const std::string word = Word();
      if (word == "deg" || word == "degrees") {
        value = {value.number * Number(std::numbers::pi / 180), value.number};
      } else if (word != "rad" && word != "radians") {
        at_ = place;
        return value;
      }
    }
  }

  std::string Word() {
    std::string word;
    for (; at_ < text_.size() && (IsLetter(text_[at_]) || (!word.empty() && IsDigit(text_[at_])));
         ++at_) {
      const char c = text_[at_];
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return word;
  }

  Result<Value> Primary() {
    const char c = Peek();
    if (IsDigit(c) || c == '.') return Literal();
    const size_t place = at_;
    if (Take('(')) {
      VADE_TRY(const Value value, Sum());
      if (!Take(')')) {
        return Expected("')' for the '(' at " + std::to_string(place + 1));
      }
      return value;
    }
    const std::string name = Word();
    if (name.empty()) return Expected("a number");
    if (name == "pi") return Value{Number(std::numbers::pi), {}};
    if (name == "e") return Value{Number(std::numbers::e), {}};
    std::vector<Value> arguments;
    if (!Take('(')) return At(place, "'" + name + "' is no constant; functions need '('");
    do {
      VADE_TRY(Value value, Sum());
      arguments.push_back(std::move(value));
    } while (Take(',') && arguments.size() < kMaxArguments);
    if (!Take(')')) return Expected("',' or ')'");
    auto result = Call(name, arguments);
    if (!result) return At(place, result.error().message);
    return Value{*result, {}};
  }

  Result<Value> Literal() {
    const size_t begin = at_;
    while (at_ < text_.size() && (IsDigit(text_[at_]) || text_[at_] == '.')) ++at_;
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      size_t digits = at_ + 1;
      if (digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-')) ++digits;
      if (digits < text_.size() && IsDigit(text_[digits])) {
        at_ = digits;
        while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      }
    }
    auto number = Number::Parse(text_.substr(begin, at_ - begin));
    if (!number) return At(begin, number.error().message);
    return Value{*number, {}};
  }

  static Result<Number> Call(const std::string& name, const std::vector<Value>& arguments);

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

Number RoundHalfAway(const Number& x) {
  const Number half = Number::Whole(1) / Number::Whole(2);
  return x < Number() ? -((-x + half).Floor()) : (x + half).Floor();
}

Result<Number> Trigonometric(const std::string& name, const Value& x) {
  const double value = x.number.value();
  double sine = 0;
  double cosine = 0;
  if (x.degrees) {
    sine = SineOfDegrees(x.degrees->value());
    cosine = SineOfDegrees(x.degrees->value() + 90);
  } else {
    sine = WithoutNoise(std::sin(value), value);
    cosine = WithoutNoise(std::cos(value), value);
  }
  if (name == "sin") return Number(sine);
  if (name == "cos") return Number(cosine);
  if (cosine == 0) return Fail(ErrorCode::kInvalidArgument, "the tangent is not defined here");
  return Number(x.degrees || sine == 0 ? sine / cosine : std::tan(value));
}

Result<Number> Logarithm(const std::string& name, const Number& x) {
  if (!(x.value() > 0)) {
    return Fail(ErrorCode::kInvalidArgument, name + " needs a positive number, got " + x.Text());
  }
  if (name == "ln") return Number(std::log(x.value()));
  const double result = std::log10(x.value());
  const auto whole = static_cast<int64_t>(std::llround(result));
  const auto power = Number::Whole(10).Power(Number::Whole(whole));
  const bool exact = power && power->is_exact() && x.is_exact() && (*power - x).is_zero();
  return exact ? Number::Whole(whole) : Number(result);
}

Result<Number> Round(const std::vector<Value>& arguments) {
  const auto decimals = arguments.size() == 2 ? arguments[1].number.AsWhole() : 0;
  if (!decimals || std::abs(*decimals) > kMaxDecimals) {
    return Fail(ErrorCode::kInvalidArgument, "round(x, decimals): decimals are -30 to 30");
  }
  VADE_TRY(const Number scale, Number::Whole(10).Power(Number::Whole(*decimals)));
  return RoundHalfAway(arguments[0].number * scale) / scale;
}

Result<Number> Parser::Call(const std::string& name, const std::vector<Value>& arguments) {
  const Number& x = arguments.front().number;
  if (name == "min" || name == "max") {
    Number best = x;
    for (const Value& each : arguments) {
      const bool better = name == "min" ? each.number < best : best < each.number;
      if (better) best = each.number;
    }
    return best;
  }
  if (name == "round" && arguments.size() <= 2) return Round(arguments);
  constexpr std::string_view kNames[] = {"sqrt", "abs", "round", "floor", "ceil", "log",
                                         "ln",   "exp", "sin",   "cos",   "tan"};
  if (std::ranges::find(kNames, name) == std::end(kNames)) {
    return Fail(ErrorCode::kInvalidArgument,
                "'" + name +
                    "' is not known, there are sqrt, abs, round, floor, ceil, min, max, log, ln, "
                    "exp, sin, cos, tan");
  }
  if (arguments.size() != 1) {
    return Fail(ErrorCode::kInvalidArgument, name + " takes one number, got " +
                                                 std::to_string(arguments.size()) +
                                                 " (thousands are written without commas)");
  }
  if (name == "sqrt") return x.SquareRoot();
  if (name == "abs") return x < Number() ? -x : x;
  if (name == "floor") return x.Floor();
  if (name == "ceil") return -((-x).Floor());
  if (name == "log" || name == "ln") return Logarithm(name, x);
  if (name == "exp") return Number(std::exp(x.value()));
  return Trigonometric(name, arguments.front());
}

}  // namespace

Result<Number> Calculate(std::string_view expression) {
  if (expression.size() > kMaxBytes) {
    return Fail(ErrorCode::kResource, "an expression of " + std::to_string(expression.size()) +
                                          " bytes, at most 1000 are read");
  }
  const std::string text = Ascii(expression);
  return Parser(text).Run();
}

Tool CalculatorTool() {
  Tool tool;
  tool.spec.name = "calculator";
  tool.spec.description =
      "Computes an arithmetic expression exactly. Use it for every calculation. Operators + - * / "
      "^ "
      "% ( ); functions sqrt abs round floor ceil min max log ln exp sin cos tan; pi, e; angles "
      "are "
      "radians unless marked deg.";
  tool.spec.parameters = json{
      {"type", "object"},
      {"properties",
       {{"expression",
         {{"type", "string"},
          {"maxLength", kMaxBytes},
          {"description", "for example (3.5 + 2) * 8^2"}}}}},
      {"required", {"expression"}},
      {"additionalProperties",
       false}}.dump();
  tool.run = [](const json& arguments, const CancelToken*) -> Result<std::string> {
    const std::string expression = arguments["expression"];
    VADE_TRY(const Number result, Calculate(expression));
    std::string text = expression + " = " + result.Text();
    if (!result.TextIsExact()) text += " (rounded)";
    const std::string fraction = result.TextIsExact() ? "" : result.FractionText();
    if (!fraction.empty() && fraction.size() < 24) text += ", exactly " + fraction;
    return text;
  };
  return tool;
}

}  // namespace vade::qa
