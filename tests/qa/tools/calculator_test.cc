#include "qa/tools/calculator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa {
namespace {

using ::testing::HasSubstr;

std::string Value(std::string_view expression) {
  const auto result = Calculate(expression);
  return result ? result->Text() : "error: " + result.error().message;
}

TEST(Calculator, Precedence) {
  EXPECT_EQ(Value("2 + 3 * 4"), "14");
  EXPECT_EQ(Value("(2 + 3) * 4"), "20");
  EXPECT_EQ(Value("2 ^ 3 ^ 2"), "512") << "powers go to the right";
  EXPECT_EQ(Value("-2 ^ 2"), "-4");
  EXPECT_EQ(Value("(-2)^2"), "4");
  EXPECT_EQ(Value("2^-2"), "0.25");
  EXPECT_EQ(Value("10 - 4 - 3"), "3");
  EXPECT_EQ(Value("100 / 10 / 2"), "5");
  EXPECT_EQ(Value("--3"), "3");
  EXPECT_EQ(Value("3 - -2"), "5");
}

TEST(Calculator, FractionsAreExact) {
  EXPECT_EQ(Value("0.1 + 0.2"), "0.3");
  EXPECT_EQ(Value("1.1 * 1.1"), "1.21");
  EXPECT_EQ(Value("1/3 * 3"), "1");
  EXPECT_EQ(Value("1/3"), "0.333333333333333");
  EXPECT_EQ(Value("2^100"), "1267650600228229401496703205376");
  EXPECT_EQ(Value("12345678901234567890 * 10"), "123456789012345678900");
  EXPECT_EQ(Value("1e-3 / 8"), "0.000125");
  EXPECT_EQ(Value("-0.05 - 0.05"), "-0.1");
  EXPECT_EQ(Value("0.5 - 0.5"), "0");
  EXPECT_EQ(Value("2^0.5 * 2^0.5"), "2");
  EXPECT_EQ(Value("1e40"), "1e+40") << "beyond 128 bits a double";
  EXPECT_EQ(Value("10^38 * 10^38"), "1e+76");
}

TEST(Calculator, PercentAndRemainder) {
  EXPECT_EQ(Value("15% * 200"), "30");
  EXPECT_EQ(Value("200 * 15%"), "30");
  EXPECT_EQ(Value("50%"), "0.5");
  EXPECT_EQ(Value("50% + 1"), "1.5");
  EXPECT_EQ(Value("10 % 3"), "1");
  EXPECT_EQ(Value("-10 % 3"), "-1");
  EXPECT_EQ(Value("5.5 % 2"), "1.5");
  EXPECT_EQ(Value("2e30 % 7"), "2");
}

TEST(Calculator, Functions) {
  EXPECT_EQ(Value("sqrt(144)"), "12");
  EXPECT_EQ(Value("sqrt(0.25)"), "0.5");
  EXPECT_EQ(Value("sqrt(2)"), "1.4142135623731");
  EXPECT_EQ(Value("abs(-3.5)"), "3.5");
  EXPECT_EQ(Value("round(2.5) + round(-2.5) + floor(-1.5) + ceil(1.2)"), "0");
  EXPECT_EQ(Value("round(3.14159, 2)"), "3.14");
  EXPECT_EQ(Value("round(1234, -2)"), "1200");
  EXPECT_EQ(Value("min(3, 1, 2) + max(4, 9)"), "10");
  EXPECT_EQ(Value("log(1000) + ln(e) + exp(0)"), "5");
  EXPECT_EQ(Value("log(0.01)"), "-2");
  EXPECT_EQ(Value("SQRT(16)"), "4");
}

TEST(Calculator, Angles) {
  EXPECT_EQ(Value("sin(30 deg)"), "0.5");
  EXPECT_EQ(Value("sin(-30°)"), "-0.5");
  EXPECT_EQ(Value("cos(90 deg)"), "0");
  EXPECT_EQ(Value("cos(60 deg)"), "0.5");
  EXPECT_EQ(Value("tan(45 deg)"), "1");
  EXPECT_EQ(Value("sin(pi)"), "0");
  EXPECT_EQ(Value("sin(pi/2)"), "1");
  EXPECT_EQ(Value("cos(π)"), "-1");
  EXPECT_EQ(Value("180 deg"), "3.14159265358979");
  EXPECT_THAT(Value("tan(90 deg)"), HasSubstr("not defined"));
  EXPECT_EQ(Value("sin(750 deg)"), "0.5");
}

TEST(Calculator, SignsAsTheyAreWritten) {
  EXPECT_EQ(Value("6 × 7 − 2 ÷ 2"), "41");
  EXPECT_EQ(Value("2 ** 10"), "1024");
}

TEST(Calculator, ErrorsNameThePlace) {
  EXPECT_THAT(Value("2 + )"), HasSubstr("at 5: expected a number, got ')'"));
  EXPECT_THAT(Value("(1 + 2"), HasSubstr("at 7: expected ')' for the '(' at 1, got the end"));
  EXPECT_THAT(Value("1 2"), HasSubstr("at 3: expected an operator, got '2'"));
  EXPECT_THAT(Value("1)"), HasSubstr("no more ')'"));
  EXPECT_THAT(Value(""), HasSubstr("expected a number, got the end"));
  EXPECT_THAT(Value("1/0"), HasSubstr("at 2: division by zero"));
  EXPECT_THAT(Value("5 % (2-2)"), HasSubstr("division by zero"));
  EXPECT_THAT(Value("sqrt(-1)"), HasSubstr("at 1: the square root of -1 is not real"));
  EXPECT_THAT(Value("ln(0)"), HasSubstr("positive"));
  EXPECT_THAT(Value("(-8)^(1/3)"), HasSubstr("not a real number"));
  EXPECT_THAT(Value("0^-1"), HasSubstr("division by zero"));
  EXPECT_THAT(Value("system(1)"), HasSubstr("'system' is not known"));
  EXPECT_THAT(Value("abs(1,000)"), HasSubstr("without commas"));
  EXPECT_THAT(Value("x + 1"), HasSubstr("'x' is no constant"));
  EXPECT_THAT(Value("1.2.3"), HasSubstr("'1.2.3' is no number"));
  EXPECT_THAT(Value("10^400"), HasSubstr("too large"));
  EXPECT_THAT(Value("1e999"), HasSubstr("no number"));
  EXPECT_THAT(Value("3 € 4"), HasSubstr("got '€'"));
}

TEST(Calculator, HostileInputIsBounded) {
  EXPECT_THAT(Value(std::string(1001, '1')), HasSubstr("1001 bytes"));
  EXPECT_THAT(Value(std::string(900, '(')), HasSubstr("64 deep"));
  EXPECT_THAT(Value(std::string(900, '-') + "1"), HasSubstr("64 deep"));
  EXPECT_THAT(Value(std::string("2^") + std::string(400, '2')), HasSubstr("large"));
  EXPECT_THAT(Value("\xff\xfe"), HasSubstr("error"));
  EXPECT_THAT(Value(std::string_view("1+\0", 3)), HasSubstr("error"));
  EXPECT_EQ(Value("1^999999999999"), "1");
}

TEST(CalculatorTool, SaysWhatIsRounded) {
  const Tool tool = CalculatorTool();
  EXPECT_EQ(*tool.run({{"expression", "0.1+0.2"}}, nullptr), "0.1+0.2 = 0.3");
  EXPECT_EQ(*tool.run({{"expression", "1/3"}}, nullptr),
            "1/3 = 0.333333333333333 (rounded), exactly 1/3");
  EXPECT_FALSE(tool.leaves_machine);
}

}  // namespace
}  // namespace vade::qa
