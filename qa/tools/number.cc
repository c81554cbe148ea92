#include "qa/tools/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

using Int = Number::Int;

constexpr int kMaxExactExponent = 36;  // 10^36 < 2^127
constexpr int64_t kMaxExactPower = 4096;
constexpr int kMaxDecimals = 36;
constexpr int kSignificantDigits = 15;  // that a double holds for certain

Int Gcd(Int a, Int b) {
  while (b != 0) {
    const Int rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

std::optional<Int> Times(Int a, Int b) {
  Int out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

std::optional<Int> Plus(Int a, Int b) {
  Int out = 0;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

std::optional<Int> PowerOfTen(int exponent) {
  if (exponent > kMaxExactExponent) return std::nullopt;
  Int out = 1;
  for (int i = 0; i < exponent; ++i) out *= 10;
  return out;
}

std::string Digits(Int value) {
  std::string out;
  const bool negative = value < 0;
  do {
    const int digit = static_cast<int>(value % 10);
    out += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    value /= 10;
  } while (value != 0);
  if (negative) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The whole and exact number that a decimal text is, if it fits.
std::optional<Number> ParseExact(std::string_view mantissa, int exponent) {
  Int digits = 0;
  bool fraction = false;
  for (const char c : mantissa) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    const auto shifted = Times(digits, 10);
    const auto next = shifted ? Plus(*shifted, c - '0') : std::nullopt;
    if (!next) return std::nullopt;
    digits = *next;
    exponent -= fraction ? 1 : 0;
  }
  const auto scale = PowerOfTen(std::abs(exponent));
  if (!scale) return digits == 0 ? std::optional(Number()) : std::nullopt;
  if (exponent < 0) return Number::Fraction(digits, *scale);
  const auto whole = Times(digits, *scale);
  return whole ? std::optional(Number::Fraction(*whole, 1)) : std::nullopt;
}

}  // namespace

Result<Number> Number::Parse(std::string_view text) {
  const auto bad = [&] {
    constexpr size_t kShownBytes = 40;
    return Fail(ErrorCode::kInvalidArgument, "'" + utf8::Escape(text.substr(0, kShownBytes)) +
                                                 (text.size() > kShownBytes ? "..." : "") +
                                                 "' is no number, or too large");
  };
  const size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  if (std::ranges::count(mantissa, '.') > 1 || std::ranges::none_of(mantissa, IsDigit) ||
      !std::ranges::all_of(mantissa, [](char c) { return IsDigit(c) || c == '.'; })) {
    return bad();
  }
  int exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
      return bad();
    }
  }
  if (std::abs(exponent) <= 1000) {  // beyond, even one digit does not fit
    if (const auto exact = ParseExact(mantissa, exponent)) return *exact;
  }
  double value = 0;
  const std::string padded = "0" + std::string(text);
  const auto [end, error] = std::from_chars(padded.data(), padded.data() + padded.size(), value);
  if (error != std::errc()) return bad();
  return Number(value);
}

Number Number::Whole(int64_t value) { return Fraction(value, 1); }

Number Number::Fraction(Int num, Int den) {
  const Int smallest = static_cast<Int>(1) << 126;  // the one value without a negative is far off
  if (den == 0 || num > smallest || num < -smallest || den > smallest || den < -smallest) {
    return Number(static_cast<double>(num) / static_cast<double>(den));
  }
  if (den < 0) {
    num = -num;
    den = -den;
  }
  const Int common = Gcd(num, den);
  Number out;
  out.num_ = num / common;
  out.den_ = den / common;
  return out;
}

double Number::value() const {
  return is_exact_ ? static_cast<double>(num_) / static_cast<double>(den_) : value_;
}

std::optional<int64_t> Number::AsWhole() const {
  constexpr int64_t kMost = int64_t{1} << 62;
  if (is_exact_ && den_ == 1 && num_ < kMost && num_ > -kMost) return static_cast<int64_t>(num_);
  return std::nullopt;
}

Number Number::operator-() const { return is_exact_ ? Fraction(-num_, den_) : Number(-value_); }

Number Number::operator+(const Number& other) const {
  if (is_exact_ && other.is_exact_) {
    const Int common = Gcd(den_, other.den_);
    const auto left = Times(num_, other.den_ / common);
    const auto right = Times(other.num_, den_ / common);
    const auto sum = left && right ? Plus(*left, *right) : std::nullopt;
    const auto den = Times(den_, other.den_ / common);
    if (sum && den) return Fraction(*sum, *den);
  }
  return Number(value() + other.value());
}

Number Number::operator*(const Number& other) const {
  if (is_exact_ && other.is_exact_) {
    const Int left = Gcd(num_, other.den_);
    const Int right = Gcd(other.num_, den_);
    const auto num = Times(num_ / left, other.num_ / right);
    const auto den = Times(den_ / right, other.den_ / left);
    if (num && den) return Fraction(*num, *den);
  }
  return Number(value() * other.value());
}

Number Number::operator/(const Number& other) const {
  if (other.is_exact_) return *this * Fraction(other.den_, other.num_);
  return Number(value() / other.value());
}

Number Number::operator%(const Number& other) const {
  if (is_exact_ && other.is_exact_) {
    const Number quotient = *this / other;
    if (quotient.is_exact_) {
      const Number whole = Fraction(quotient.num_ / quotient.den_, 1);  // towards zero
      const Number product = whole * other;
      if (product.is_exact_) return *this - product;
    }
  }
  return Number(std::fmod(value(), other.value()));
}

bool Number::operator<(const Number& other) const {
  const Number difference = *this - other;
  return difference.is_exact_ ? difference.num_ < 0 : value() < other.value();
}

Number Number::Floor() const {
  if (!is_exact_) return Number(std::floor(value_));
  const Int whole = num_ / den_;
  return Fraction(num_ % den_ < 0 ? whole - 1 : whole, 1);
}

Result<Number> Number::Power(const Number& exponent) const {
  const auto whole = exponent.AsWhole();
  if (is_zero() && exponent.value() < 0) {
    return Fail(ErrorCode::kInvalidArgument, "0 to a negative power is a division by zero");
  }
  if (is_exact_ && whole && std::abs(*whole) <= kMaxExactPower) {
    Number base = *whole < 0 ? Whole(1) / *this : *this;
    Number out = Whole(1);
    for (int64_t left = std::abs(*whole); left > 0 && out.is_exact_; left /= 2) {
      if (left % 2 == 1) out = out * base;
      if (left > 1) base = base * base;
    }
    if (out.is_exact_) return out;
  }
  const double result = std::pow(value(), exponent.value());
  if (std::isnan(result)) {
    return Fail(ErrorCode::kInvalidArgument,
                Text() + " to the power of " + exponent.Text() + " is not a real number");
  }
  return Number(result);
}

Result<Number> Number::SquareRoot() const {
  if (value() < 0) {
    return Fail(ErrorCode::kInvalidArgument, "the square root of " + Text() + " is not real");
  }
  if (is_exact_) {
    const auto root = [](Int square) -> std::optional<Int> {
      const auto near = static_cast<Int>(std::sqrt(static_cast<double>(square)));
      for (Int each = near > 0 ? near - 1 : 0; each <= near + 1; ++each) {
        if (Times(each, each) == square) return each;
      }
      return std::nullopt;
    };
    const auto num = root(num_);
    const auto den = root(den_);
    if (num && den) return Fraction(*num, *den);
  }
  return Number(std::sqrt(value()));
}

std::string Number::ExactText() const {
  if (!is_exact_) return "";
  if (den_ == 1) return Digits(num_);
  // The digits end when the denominator divides a power of ten.
  for (int decimals = 1; decimals <= kMaxDecimals; ++decimals) {
    const Int scale = *PowerOfTen(decimals);
    if (scale % den_ != 0) continue;
    const auto digits = Times(num_, scale / den_);
    if (!digits) return "";
    const bool negative = *digits < 0;
    std::string text = Digits(negative ? -*digits : *digits);
    const auto places = static_cast<size_t>(decimals);
    if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
    text.insert(text.size() - places, ".");
    return (negative ? "-" : "") + text;
  }
  return "";
}

std::string Number::Text() const {
  if (std::string exact = ExactText(); !exact.empty()) return exact;
  std::array<char, 64> text{};
  const double shown = value() == 0 ? 0 : value();  // no "-0"
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), shown,
                                          std::chars_format::general, kSignificantDigits);
  return error == std::errc() ? std::string(text.data(), end) : "";
}

std::string Number::FractionText() const {
  if (!is_exact_ || den_ == 1) return "";
  return Digits(num_) + "/" + Digits(den_);
}

}  // namespace vade::qa
