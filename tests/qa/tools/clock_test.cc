#include "qa/tools/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// 2026-07-01 22:30:00 UTC, a Wednesday.
constexpr auto kNow = std::chrono::sys_days(std::chrono::July / 1 / 2026) + std::chrono::hours(22) +
                      std::chrono::minutes(30);

std::string Ask(const json& arguments) {
  const auto result = ClockTool([] { return kNow; }).run(arguments, nullptr);
  return result ? *result : "error: " + result.error().message;
}

TEST(Clock, TimeInZones) {
  EXPECT_EQ(Ask({{"zone", "UTC"}}), "Wednesday, 2026-07-01T22:30:00+00:00 (UTC)");
  EXPECT_EQ(Ask({{"zone", "Europe/Paris"}}), "Thursday, 2026-07-02T00:30:00+02:00 (Europe/Paris)");
  EXPECT_EQ(Ask({{"zone", "Asia/Seoul"}}), "Thursday, 2026-07-02T07:30:00+09:00 (Asia/Seoul)");
  EXPECT_EQ(Ask({{"zone", "Asia/Kolkata"}}), "Thursday, 2026-07-02T04:00:00+05:30 (Asia/Kolkata)");
  EXPECT_EQ(Ask({{"zone", "America/St_Johns"}}),
            "Wednesday, 2026-07-01T20:00:00-02:30 (America/St_Johns)");
  EXPECT_THAT(Ask(json::object()), HasSubstr("2026-07-0")) << "the local zone, whichever it is";
}

TEST(Clock, WinterAndSummerDiffer) {
  const auto winter = std::chrono::sys_days(std::chrono::January / 15 / 2026);
  EXPECT_THAT(*TimeIn("Europe/Paris", winter), HasSubstr("2026-01-15T01:00:00+01:00"));
}

TEST(Clock, UnknownZonesAreErrors) {
  EXPECT_THAT(Ask({{"zone", "Mars/Olympus"}}), HasSubstr("expected an IANA name"));
  EXPECT_THAT(Ask({{"zone", std::string(500, 'x')}}), HasSubstr("expected an IANA name"));
  EXPECT_THAT(Ask({{"zone", "../../etc/passwd"}}), HasSubstr("expected an IANA name"));
}

TEST(Clock, DateArithmetic) {
  EXPECT_EQ(Ask({{"operation", "weekday"}, {"date", "2026-11-21"}}), "2026-11-21 (Saturday)");
  EXPECT_EQ(Ask({{"operation", "add_days"}, {"date", "2028-02-28"}, {"days", 2}}),
            "2028-02-28 (Monday) + 2 days = 2028-03-01 (Wednesday)");
  EXPECT_THAT(Ask({{"operation", "add_days"}, {"date", "2026-01-01"}, {"days", -1}}),
              HasSubstr("= 2025-12-31"));
  EXPECT_THAT(Ask({{"operation", "days_between"}, {"date", "2026-01-01"}, {"to", "2027-01-01"}}),
              HasSubstr(": 365 days"));
  EXPECT_THAT(Ask({{"operation", "days_between"}, {"date", "2026-03-02"}, {"to", "2026-03-01"}}),
              HasSubstr(": -1 days"));
  EXPECT_THAT(Ask({{"operation", "add_days"}, {"zone", "Asia/Seoul"}, {"days", 1}}),
              StartsWith("2026-07-02"))
      << "today is a matter of the zone";
}

TEST(Clock, BadDatesAreErrors) {
  for (const char* date : {"2026-02-30", "2026-13-01", "26-01-01", "2026/01/01", "", "0000-01-01",
                           "2026-1-001", "2026-01-0x"}) {
    EXPECT_FALSE(ParseDate(date)) << date;
  }
  EXPECT_TRUE(ParseDate("2024-02-29"));
  EXPECT_THAT(Ask({{"operation", "add_days"}, {"date", "9999-12-31"}, {"days", 1}}),
              HasSubstr("years 1 to 9999"));
  EXPECT_THAT(Ask({{"operation", "days_between"}, {"date", "2026-01-01"}}), HasSubstr("\"to\""));
}

}  // namespace
}  // namespace vade::qa
