#include "engine/runtime/number_range.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/engine/runtime/grammar_checks.h"

namespace vade::runtime {
namespace {

TEST(NumberRange, IntegersAreExactlyTheRange) {
  const std::vector<std::pair<int64_t, int64_t>> ranges = {
      {0, 0}, {0, 9}, {1, 10}, {17, 342}, {99, 101}, {-5, 5}, {-120, -7}, {0, 1000}, {250, 250}};
  for (const auto& [low, high] : ranges) {
    const std::string gbnf = "root ::= " + IntegerRangeGbnf(low, high);
    for (int64_t value = -130; value <= 1010; ++value) {
      ASSERT_EQ(Accepts(gbnf, std::to_string(value)), low <= value && value <= high)
          << value << " in " << low << ".." << high << ": " << gbnf;
    }
    EXPECT_FALSE(Accepts(gbnf, "007"));
    EXPECT_FALSE(Accepts(gbnf, "-0"));
    EXPECT_FALSE(Accepts(gbnf, ""));
  }
}

TEST(NumberRange, LargeBounds) {
  const std::string gbnf = "root ::= " + IntegerRangeGbnf(-999999999999999999, 123456789012345678);
  EXPECT_TRUE(Accepts(gbnf, "-999999999999999999"));
  EXPECT_TRUE(Accepts(gbnf, "123456789012345678"));
  EXPECT_FALSE(Accepts(gbnf, "123456789012345679"));
  EXPECT_FALSE(Accepts(gbnf, "-1000000000000000000"));
  const std::string all = "root ::= " + UnsignedRangeGbnf(0, UINT64_MAX);
  EXPECT_TRUE(Accepts(all, "18446744073709551615"));
  EXPECT_FALSE(Accepts(all, "18446744073709551616"));
}

TEST(NumberRange, DecimalsStayInside) {
  struct Case {
    NumberBounds bounds;
    std::vector<std::string> accepted;
    std::vector<std::string> rejected;
  };
  const Case cases[] = {
      {{0, 1}, {"0", "0.5", "0.999", "1", "1.0"}, {"1.01", "2", "-0.1", "-0", "1.5"}},
      {{0, 1, true, true}, {"0.5", "0.01"}, {"0", "0.0", "1", "1.0"}},
      {{-2, 3}, {"-2", "-2.0", "-1.5", "-0.5", "0", "2.99", "3"}, {"-2.1", "3.1", "4"}},
      {{-2, {}, true}, {"-1.99", "0", "12345.5"}, {"-2", "-2.0", "-3"}},
      {{-5, -3, false, true}, {"-5", "-3.5", "-3.01"}, {"-3", "-3.0", "-5.1", "0", "4"}},
      {{{}, 10}, {"-123456.5", "10", "9.75"}, {"10.5", "11"}},
      {{7, 7}, {"7", "7.0"}, {"7.1", "6.9"}},
  };
  for (const Case& c : cases) {
    const auto item = DecimalRangeGbnf(c.bounds);
    ASSERT_TRUE(item.has_value());
    const std::string gbnf = "root ::= " + *item;
    for (const auto& text : c.accepted) EXPECT_TRUE(Accepts(gbnf, text)) << text << " " << gbnf;
    for (const auto& text : c.rejected) EXPECT_FALSE(Accepts(gbnf, text)) << text << " " << gbnf;
  }
  EXPECT_FALSE(DecimalRangeGbnf({7, 7, true, false}).has_value());
  EXPECT_FALSE(DecimalRangeGbnf({8, 7}).has_value());
}

}  // namespace
}  // namespace vade::runtime
