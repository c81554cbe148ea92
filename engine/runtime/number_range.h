// Numbers between two bounds as a grammar over their digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vade::runtime {

/// A GBNF item that matches exactly the decimal forms, without leading zeros, of low..high.
/// REQUIRES low <= high.
[[nodiscard]] std::string UnsignedRangeGbnf(uint64_t low, uint64_t high);

/// The same with "-" for negative numbers ("-0" is not written). REQUIRES low <= high.
[[nodiscard]] std::string IntegerRangeGbnf(int64_t low, int64_t high);

/// Whole bounds of a number; an absent one is far away.
struct NumberBounds {
  std::optional<int64_t> low;
  std::optional<int64_t> high;
  bool low_excluded = false;
  bool high_excluded = false;
};

/// A GBNF item for decimals (without exponents) inside the bounds; nothing if there is no number
/// there. The digits after the point are so few that no double rounds across a bound.
/// REQUIRES bounds within +-10^15.
[[nodiscard]] std::optional<std::string> DecimalRangeGbnf(const NumberBounds& bounds);

}  // namespace vade::runtime
