#include "engine/runtime/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/runtime/random.h"

namespace vade::runtime {
namespace {

TEST(PortableMath, ExpIsWithinFewUlpOfTheLibrary) {
  EXPECT_EQ(PortableExp(0), 1.0);
  for (double x = 0; x > -690; x -= 0.0371) {
    const double want = std::exp(x);
    EXPECT_NEAR(PortableExp(x), want, 4e-16 * want) << x;
  }
  EXPECT_EQ(PortableExp(-701), 0.0);
  EXPECT_EQ(PortableExp(-HUGE_VAL), 0.0);
}

TEST(PortableMath, LogIsWithinFewUlpOfTheLibrary) {
  EXPECT_EQ(PortableLog(1), 0.0);
  for (double x = 1e-300; x < 1e300; x *= 1.7341) {
    const double want = std::log(x);
    EXPECT_NEAR(PortableLog(x), want, 4e-16 * std::fabs(want) + 1e-16) << x;
  }
}

// The reference output of the published xoshiro256++ for the state 1, 2, 3, 4 begins with 41943041;
// through the seeding only the stream as a whole can be pinned.
TEST(Random, IsTheSameEverywhere) {
  Random random(0);
  const uint64_t first = random.Next();
  EXPECT_EQ(first, 0x53175d61490b23dfu);
  Random again(0);
  EXPECT_EQ(again.Next(), first);
  EXPECT_NE(Random(1).Next(), first);
}

TEST(Random, UnitsAreUniform) {
  Random random(42);
  constexpr int kDraws = 100'000;
  int bins[10] = {};
  for (int i = 0; i < kDraws; ++i) {
    const double unit = random.NextUnit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    ++bins[static_cast<int>(unit * 10)];
  }
  double chi_square = 0;
  for (const int count : bins) chi_square += std::pow(count - kDraws / 10, 2) / (kDraws / 10.0);
  EXPECT_LT(chi_square, 27.88);  // 9 degrees of freedom, p = 0.001
}

}  // namespace
}  // namespace vade::runtime
