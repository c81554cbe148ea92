// Number: a fraction as long as it fits into 128 bits, else a double. 0.1 + 0.2 is 0.3 here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::qa {

class Number {
 public:
  __extension__ typedef __int128 Int;

  Number() = default;
  explicit Number(double value) : is_exact_(false), value_(value) {}

  /// Digits with at most one point and at most one exponent: "12", ".5", "1.5e-3".
  /// Errors: kInvalidArgument for anything else and for what a double cannot hold.
  [[nodiscard]] static Result<Number> Parse(std::string_view text);
  [[nodiscard]] static Number Whole(int64_t value);
  /// num / den, lowest terms; a double when den is 0 (infinite) or the terms do not fit.
  [[nodiscard]] static Number Fraction(Int num, Int den);

  [[nodiscard]] bool is_exact() const { return is_exact_; }
  [[nodiscard]] bool is_zero() const { return is_exact_ ? num_ == 0 : value_ == 0; }
  [[nodiscard]] double value() const;
  /// The whole number it is, if it is one of at most 62 bits.
  [[nodiscard]] std::optional<int64_t> AsWhole() const;

  [[nodiscard]] Number operator-() const;
  [[nodiscard]] Number operator+(const Number& other) const;
  [[nodiscard]] Number operator-(const Number& other) const { return *this + -other; }
  [[nodiscard]] Number operator*(const Number& other) const;
  /// REQUIRES !other.is_zero(), also of the remainder (which has the sign of *this).
  [[nodiscard]] Number operator/(const Number& other) const;
  [[nodiscard]] Number operator%(const Number& other) const;
  [[nodiscard]] bool operator<(const Number& other) const;

  [[nodiscard]] Number Floor() const;
  /// Errors: kInvalidArgument where there is no real result.
  [[nodiscard]] Result<Number> Power(const Number& exponent) const;
  [[nodiscard]] Result<Number> SquareRoot() const;

  /// All decimal digits when they end; else 15 significant ones.
  [[nodiscard]] std::string Text() const;
  /// Are these all the digits there are?
  [[nodiscard]] bool TextIsExact() const { return !ExactText().empty(); }
  /// "1/3"; empty for whole numbers and doubles.
  [[nodiscard]] std::string FractionText() const;

 private:
  [[nodiscard]] std::string ExactText() const;

  bool is_exact_ = true;
  Int num_ = 0;
  Int den_ = 1;  // > 0, no common factor with num_
  double value_ = 0;
};

}  // namespace vade::qa
