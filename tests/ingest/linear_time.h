// Checks that work grows with the input and not with its square.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <string_view>

namespace vade::ingest {

/// CPU seconds of the fastest of three runs: noise only ever adds.
template <typename Work>
double FastestOfThree(const Work& work) {
  double fastest = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t start = std::clock();
    work();
    fastest = std::min(fastest, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return fastest;
}

inline std::string Repeat(std::string_view unit, size_t bytes) {
  std::string out;
  out.reserve(bytes + unit.size());
  while (out.size() < bytes) out += unit;
  return out;
}

/// make(bytes) gives a hostile text of about that size, read(text) works on it. Quadratic work
/// would take four times as long for twice the text; too short to measure is linear enough.
template <typename Make, typename Read>
void ExpectLinear(const Make& make, const Read& read) {
  constexpr size_t kBytes = size_t{48} << 10;
  constexpr double kUnmeasurable = 0.05;
  const std::string once = make(kBytes);
  const std::string twice = make(2 * kBytes);
  const double t1 = FastestOfThree([&] { read(once); });
  const double t2 = FastestOfThree([&] { read(twice); });
  EXPECT_TRUE(t2 < kUnmeasurable || t2 < 2.6 * t1) << t1 << " s, then " << t2 << " s";
}

}  // namespace vade::ingest
