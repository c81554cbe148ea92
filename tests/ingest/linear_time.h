// Checks that work grows with the input and not with its square.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <string_view>

namespace vade::ingest {

template <typename Work>
double CpuSeconds(const Work& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// The fastest of three.
template <typename Work>
double FastestOfThree(const Work& work) {
  double fastest = 1e9;
  for (int i = 0; i < 3; ++i) fastest = std::min(fastest, CpuSeconds(work));
  return fastest;
}

inline std::string Repeat(std::string_view unit, size_t bytes) {
  std::string out;
  out.reserve(bytes + unit.size());
  while (out.size() < bytes) out += unit;
  return out;
}

/// make(bytes) gives a hostile text of about that size, read(text) works on it. Quadratic work
/// would take 16 times as long for four times the text. Too short to measure is linear enough; a
/// measure that another program disturbed is taken again, since noise only ever adds.
template <typename Make, typename Read>
void ExpectLinear(const Make& make, const Read& read) {
  constexpr size_t kBytes = size_t{32} << 10;
  constexpr double kUnmeasurable = 0.05;
  const std::string once = make(kBytes);
  const std::string four_times = make(4 * kBytes);
  double t1 = 1e9;
  double t4 = 1e9;
  for (int round = 0; round < 8; ++round) {
    t1 = std::min(t1, CpuSeconds([&] { read(once); }));
    t4 = std::min(t4, CpuSeconds([&] { read(four_times); }));
    if (t4 < kUnmeasurable || t4 < 8 * t1) return;
  }
  ADD_FAILURE() << t1 << " s, then " << t4 << " s";
}

}  // namespace vade::ingest
