// exp and log that give the same bits on every IEEE machine; the C library's differ in the last bit
// between versions and CPUs, and one bit is enough to sample another token.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace vade::runtime {

/// e^x for x <= 0, to about 2 ulp; 0 below -700. Plain double operations, no table, no FMA.
[[nodiscard]] inline double PortableExp(double x) noexcept {
  constexpr double kLog2E = 1.4426950408889634;
  constexpr double kLn2High = 6.93147180369123816490e-01;  // 32 bits: n * kLn2High is exact
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  const bool underflow = !(x > -700.0);
  const double clamped = underflow ? -700.0 : x;
  const double n = (clamped * kLog2E + kRound) - kRound;
  const double r = (clamped - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2) / 2
  // Taylor to r^12: the remainder is below 2^-54.
  double sum = 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  // The integer stands in the low bits of n + kRound; shifted to the exponent it is 2^n.
  const uint64_t power = (std::bit_cast<uint64_t>(n + kRound) + 1023) << 52;
  return underflow ? 0.0 : sum * std::bit_cast<double>(power);
}

/// ln(x) for finite x > 0, to about 2 ulp.
[[nodiscard]] inline double PortableLog(double x) noexcept {
  constexpr double kLn2 = 0.69314718055994530942;
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // exact
  if (mantissa < 0.70710678118654752440) {
    mantissa *= 2;
    --exponent;
  }
  const double s = (mantissa - 1) / (mantissa + 1);  // ln(m) = 2 atanh(s), |s| < 0.1716
  const double s2 = s * s;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
  return 2 * s * sum + exponent * kLn2;
}

}  // namespace vade::runtime
