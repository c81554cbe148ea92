#include "qa/tools/unit_conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "qa/tools/unit_table.h"

namespace vade::qa {
namespace {

using ::testing::HasSubstr;

double Convert(double value, std::string_view from, std::string_view to) {
  const auto result = ConvertUnits(value, from, to);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result.value_or(0);
}

std::string Refusal(double value, std::string_view from, std::string_view to) {
  const auto result = ConvertUnits(value, from, to);
  return result ? "converted to " + std::to_string(*result) : result.error().message;
}

TEST(Units, EveryQuantity) {
  struct Case {
    double value;
    const char* from;
    const char* to;
    double want;
  };
  const Case kCases[] = {
      {1, "mile", "km", 1.609344},
      {5, "ft", "cm", 152.4},
      {2.5, "kg", "lb", 5.5115566},
      {100, "°C", "°F", 212},
      {-40, "F", "C", -40},
      {0, "celsius", "K", 273.15},
      {1, "gal", "L", 3.785411784},
      {250, "mL", "fl oz", 8.4535057},
      {1, "bar", "psi", 14.5037738},
      {1, "atm", "kPa", 101.325},
      {1, "MPa", "bar", 10},
      {1, "kWh", "MJ", 3.6},
      {1, "kcal", "kJ", 4.184},
      {1, "hp", "W", 745.699872},
      {100, "km/h", "m/s", 27.7777778},
      {1, "kn", "km/h", 1.852},
      {1, "ha", "m²", 10000},
      {1, "acre", "m2", 4046.8564224},
      {90, "min", "h", 1.5},
      {1, "GiB", "MB", 1073.741824},
      {1, "Gbit", "MB", 125},
      {180, "deg", "rad", 3.14159265},
      {10, "N·m", "ft-lb", 7.3756215},
      {1, "kgf.m", "Nm", 9.80665},
      {1, "m3/h", "l/min", 16.6666667},
      {10, "gpm", "L/min", 37.85411784},
      {3000, "rpm", "Hz", 50},
      {1, "kgf", "N", 9.80665},
      {5, "µm", "mm", 0.005},
      {5, "um", "micrometer", 5},
      {1, "kilowatt hours", "kWh", 1},
      {30, "평", "m2", 99.1735537},
      {1, "kWh", "BTU", 3412.14163},
      {760, "mmHg", "atm", 1.0},
  };
  for (const Case& each : kCases) {
    const double got = Convert(each.value, each.from, each.to);
    EXPECT_NEAR(got, each.want, std::abs(each.want) * 1e-6) << each.from << " to " << each.to;
  }
}

TEST(Units, AbsoluteTemperaturesCancelExactly) {
  EXPECT_EQ(Convert(32, "°F", "°C"), 0);
  EXPECT_EQ(Convert(-273.15, "°C", "K"), 0);
  EXPECT_THAT(Refusal(-300, "°C", "K"), HasSubstr("below absolute zero"));
}

TEST(Units, SymbolsWinAsWrittenAndCaseIsForgivenWhereItIsClear) {
  EXPECT_EQ(Convert(1, "Mb", "kb"), 1000);
  EXPECT_EQ(Convert(8, "Mbit", "MB"), 1);
  EXPECT_EQ(Convert(1, "KPA", "pa"), 1000);
  EXPECT_EQ(Convert(1, "Bar", "KPA"), 100);
  EXPECT_THAT(Refusal(1, "mpa", "bar"), HasSubstr("could be"));
}

TEST(Units, WhatCannotBeConvertedIsSaid) {
  EXPECT_EQ(Refusal(1, "kg", "m"), "kg measures a mass, m a length: there is no conversion");
  EXPECT_THAT(Refusal(1, "N.m", "J"), HasSubstr("torque"));
  EXPECT_THAT(Refusal(1, "parsnips", "m"), HasSubstr("'parsnips' is not known"));
  EXPECT_THAT(Refusal(1, "", "m"), HasSubstr("not known"));
  EXPECT_THAT(Refusal(1, std::string(10000, 'k') + "m", "m"), HasSubstr("not known"));
  EXPECT_THAT(Refusal(1e308, "Qm", "ym"), HasSubstr("too large"));
}

TEST(Units, NoSpellingNamesTwoUnits) {
  std::set<std::string_view> seen;
  for (const Unit& unit : AllUnits()) {
    std::string_view names = unit.names;
    EXPECT_TRUE(seen.insert(unit.symbol).second || unit.symbol == "Ω") << unit.symbol;
    while (!names.empty()) {
      const size_t bar = std::min(names.find('|'), names.size());
      EXPECT_TRUE(seen.insert(names.substr(0, bar)).second || unit.symbol == "Ω")
          << names.substr(0, bar);
      names.remove_prefix(std::min(bar + 1, names.size()));
    }
  }
}

TEST(UnitTool, ShowsBothSides) {
  const Tool tool = UnitTool();
  EXPECT_EQ(*tool.run({{"value", 1}, {"from", "bar"}, {"to", "psi"}}, nullptr),
            "1 bar = 14.503773773 psi");
  EXPECT_EQ(*tool.run({{"value", 0.1}, {"from", "m"}, {"to", "mm"}}, nullptr), "0.1 m = 100 mm");
}

}  // namespace
}  // namespace vade::qa
