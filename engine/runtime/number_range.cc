// 17..342 is 17-19 | 20-99 | 100-299 | 300-339 | 340-342: equal lengths first, then equal prefixes.
#include "engine/runtime/number_range.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/runtime/gbnf_builder.h"

namespace vade::runtime {
namespace {

std::string Digits(char low, char high) {
  return low == high ? "\"" + std::string(1, low) + "\""
                     : "[" + std::string(1, low) + "-" + std::string(1, high) + "]";
}

std::string AnyDigits(size_t count) {
  if (count == 0) return "";
  return count == 1 ? " [0-9]" : " [0-9]{" + std::to_string(count) + "}";
}

bool All(std::string_view text, char c) { return text.find_first_not_of(c) == text.npos; }

// Numbers of one length; at most 2 * length alternatives per level, and one level per digit.
std::string SameLength(std::string_view low, std::string_view high) {
  const std::string_view low_rest = low.substr(1);
  const std::string_view high_rest = high.substr(1);
  if (All(low_rest, '0') && All(high_rest, '9')) {
    return Digits(low[0], high[0]) + AnyDigits(low_rest.size());
  }
  if (low[0] == high[0]) return Digits(low[0], low[0]) + " " + SameLength(low_rest, high_rest);
  std::vector<std::string> parts;
  char first = low[0];
  char last = high[0];
  if (!All(low_rest, '0')) {
    parts.push_back(Digits(first, first) + " " +
                    SameLength(low_rest, std::string(low_rest.size(), '9')));
    ++first;
  }
  std::string upper;
  if (!All(high_rest, '9')) {
    upper = Digits(last, last) + " " + SameLength(std::string(high_rest.size(), '0'), high_rest);
    --last;
  }
  if (first <= last) parts.push_back(Digits(first, last) + AnyDigits(low_rest.size()));
  if (!upper.empty()) parts.push_back(upper);
  return GbnfChoice(parts);
}

}  // namespace

std::string UnsignedRangeGbnf(uint64_t low, uint64_t high) {
  std::vector<std::string> parts;
  while (true) {
    const std::string text = std::to_string(low);
    const std::string nines(text.size(), '9');
    const std::string high_text = std::to_string(high);
    if (high_text.size() == text.size()) {
      parts.push_back(SameLength(text, high_text));
      break;
    }
    parts.push_back(SameLength(text, nines));
    low = 1;
    for (size_t i = 0; i < text.size(); ++i) low *= 10;
  }
  return parts.size() == 1 ? "(" + parts.front() + ")" : GbnfChoice(parts);
}

std::string IntegerRangeGbnf(int64_t low, int64_t high) {
  const auto magnitude = [](int64_t value) { return uint64_t{0} - static_cast<uint64_t>(value); };
  std::vector<std::string> parts;
  if (low < 0) {
    parts.push_back("\"-\" " +
                    UnsignedRangeGbnf(magnitude(std::min<int64_t>(high, -1)), magnitude(low)));
  }
  if (high >= 0) {
    parts.push_back(UnsignedRangeGbnf(static_cast<uint64_t>(std::max<int64_t>(low, 0)),
                                      static_cast<uint64_t>(high)));
  }
  return parts.size() == 1 ? "(" + parts.front() + ")" : GbnfChoice(parts);
}

namespace {

constexpr int64_t kFar = 999'999'999'999'999;

// Magnitudes from low to high, without sign. Digits after the point: `places` at most.
std::vector<std::string> Magnitudes(uint64_t low, bool low_excluded, uint64_t high,
                                    bool high_excluded, size_t places) {
  const std::string fraction = "(\".\" [0-9]{1," + std::to_string(places) + "})?";
  const std::string zeros = "(\".\" \"0\"{1," + std::to_string(places) + "})?";
  const std::string positive = "\".\" [0-9]{0," + std::to_string(places - 1) + "} [1-9]";
  std::vector<std::string> parts;
  if (low == high) {
    if (!low_excluded && !high_excluded) parts.push_back(UnsignedRangeGbnf(low, low) + " " + zeros);
    return parts;
  }
  parts.push_back(UnsignedRangeGbnf(low, low) + " " + (low_excluded ? positive : fraction));
  if (high - low > 1) parts.push_back(UnsignedRangeGbnf(low + 1, high - 1) + " " + fraction);
  if (!high_excluded) parts.push_back(UnsignedRangeGbnf(high, high) + " " + zeros);
  return parts;
}

}  // namespace

std::optional<std::string> DecimalRangeGbnf(const NumberBounds& bounds) {
  const int64_t low = bounds.low.value_or(-kFar);
  const int64_t high = bounds.high.value_or(kFar);
  if (low > high) return std::nullopt;
  const auto magnitude = [](int64_t value) {
    return static_cast<uint64_t>(value < 0 ? -value : value);
  };
  // A double holds 15 digits exactly; what the bounds need is not left for the fraction.
  const uint64_t largest =
      std::max(bounds.low ? magnitude(low) : 0, bounds.high ? magnitude(high) : 0);
  const size_t places = 16 - std::min<size_t>(15, std::to_string(largest).size());
  std::vector<std::string> parts;
  if (low < 0) {  // -low ... -high, or up to but without 0, which the other side writes
    const bool to_zero = high >= 0;
    for (const std::string& part :
         Magnitudes(to_zero ? 0 : magnitude(high), to_zero || bounds.high_excluded, magnitude(low),
                    bounds.low_excluded, places)) {
      parts.push_back("\"-\" " + part);
    }
  }
  if (high >= 0) {
    for (std::string& part :
         Magnitudes(magnitude(std::max<int64_t>(low, 0)), low >= 0 && bounds.low_excluded,
                    magnitude(high), bounds.high_excluded, places)) {
      parts.push_back(std::move(part));
    }
  }
  if (parts.empty()) return std::nullopt;
  return "(" + GbnfChoice(parts) + ")";
}

}  // namespace vade::runtime
