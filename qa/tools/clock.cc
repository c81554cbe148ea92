// The rules of time zones are ICU's; the calendar is the standard library's.
#include "qa/tools/clock.h"

#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

using nlohmann::json;
namespace chrono = std::chrono;

constexpr int64_t kMaxDays = 3'652'059;  // 9999 years
constexpr size_t kMaxZoneBytes = 64;

const char* WeekdayName(chrono::sys_days day) {
  constexpr std::array<const char*, 7> kNames = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};
  return kNames[chrono::weekday(day).c_encoding()];
}

std::string IsoDate(chrono::sys_days day) {
  const chrono::year_month_day date(day);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

Result<std::unique_ptr<icu::TimeZone>> FindZone(std::string_view name) {
  if (name.empty()) return std::unique_ptr<icu::TimeZone>(icu::TimeZone::detectHostTimeZone());
  const auto unknown = [&] {
    return Fail(ErrorCode::kInvalidArgument,
                "zone: got '" + utf8::Escape(name.substr(0, kMaxZoneBytes)) +
                    "', expected an IANA name like Europe/Paris, Asia/Seoul or UTC");
  };
  if (name.size() > kMaxZoneBytes) return unknown();
  const auto text = icu::UnicodeString::fromUTF8(
      icu::StringPiece(name.data(), static_cast<int32_t>(name.size())));
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString canonical;
  icu::TimeZone::getCanonicalID(text, canonical, status);  // fails for what is not in the database
  if (U_FAILURE(status)) return unknown();
  return std::unique_ptr<icu::TimeZone>(icu::TimeZone::createTimeZone(text));
}

Result<int> Offset(const icu::TimeZone& zone, int64_t seconds) {
  int32_t raw = 0;
  int32_t saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone.getOffset(static_cast<UDate>(seconds) * 1000, 0, raw, saving, status);
  if (U_FAILURE(status)) return Fail(ErrorCode::kInternal, "the time zone has no rules");
  return (raw + saving) / 1000;
}

Result<std::string> Shift(const json& arguments, chrono::sys_days day) {
  const auto days = arguments.value("days", int64_t{0});
  const chrono::sys_days sum = day + chrono::days(days);
  const int year = static_cast<int>(chrono::year_month_day(sum).year());
  if (year < 1 || year > 9999) {
    return Fail(ErrorCode::kInvalidArgument, "days: leads beyond the years 1 to 9999");
  }
  return ShowDate(day) + (days < 0 ? " - " : " + ") + std::to_string(std::abs(days)) +
         " days = " + ShowDate(sum);
}

Result<std::string> Between(const json& arguments, chrono::sys_days day) {
  if (!arguments.contains("to")) {
    return Fail(ErrorCode::kInvalidArgument, "arguments: \"to\" is missing");
  }
  VADE_TRY(const chrono::sys_days end, ParseDate(arguments["to"].get<std::string>()));
  return "from " + ShowDate(day) + " to " + ShowDate(end) + ": " +
         std::to_string((end - day).count()) + " days";
}

Result<std::string> RunClock(const json& arguments, chrono::system_clock::time_point now) {
  const std::string operation = arguments.value("operation", "now");
  const std::string zone = arguments.value("zone", "");
  if (operation == "now") return TimeIn(zone, now);
  chrono::sys_days day;
  if (arguments.contains("date")) {
    VADE_TRY(day, ParseDate(arguments["date"].get<std::string>()));
  } else {
    const auto seconds = chrono::floor<chrono::seconds>(now).time_since_epoch().count();
    VADE_TRY(const auto place, FindZone(zone));
    VADE_TRY(const int offset, Offset(*place, seconds));
    day = chrono::floor<chrono::days>(now + chrono::seconds(offset));
  }
  if (operation == "weekday") return ShowDate(day);
  return operation == "add_days" ? Shift(arguments, day) : Between(arguments, day);
}

}  // namespace

Result<std::string> TimeIn(std::string_view name, chrono::system_clock::time_point now) {
  VADE_TRY(const auto zone, FindZone(name));
  const auto utc = chrono::floor<chrono::seconds>(now);
  VADE_TRY(const int offset, Offset(*zone, utc.time_since_epoch().count()));
  const auto local = utc + chrono::seconds(offset);
  const auto day = chrono::floor<chrono::days>(local);
  const chrono::hh_mm_ss time(local - day);
  const int minutes = std::abs(offset) / 60;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "T%02d:%02d:%02d%c%02d:%02d",
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), offset < 0 ? '-' : '+', minutes / 60,
                minutes % 60);
  icu::UnicodeString id;
  std::string shown;
  zone->getID(id).toUTF8String(shown);
  return std::string(WeekdayName(day)) + ", " + IsoDate(day) + text.data() + " (" + shown + ")";
}

Result<chrono::sys_days> ParseDate(std::string_view text) {
  const auto bad = [&] {
    return Fail(ErrorCode::kInvalidArgument,
                "'" + utf8::Escape(text.substr(0, kMaxZoneBytes)) + "' is no date like 2026-11-21");
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return bad();
  const auto number = [&](size_t at, size_t length) {
    int value = -1;
    const char* end = text.data() + at + length;
    const auto [stop, error] = std::from_chars(text.data() + at, end, value);
    return error == std::errc() && stop == end ? value : -1;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  if (year < 1 || month < 1 || day < 1) return bad();
  const chrono::year_month_day date(chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return bad();
  return chrono::sys_days(date);
}

std::string ShowDate(chrono::sys_days day) { return IsoDate(day) + " (" + WeekdayName(day) + ")"; }

Tool ClockTool(Now now) {
  const json date = {{"type", "string"}, {"description", "YYYY-MM-DD; today without it"}};
  Tool tool;
  tool.spec.name = "clock";
  tool.spec.description =
      "The current date, time and weekday in a time zone, or arithmetic on dates: the weekday of a "
      "date, a date so many days later, the days between two dates.";
  tool.spec.parameters = json{
      {"type", "object"},
      {"properties",
       {{"operation",
         {{"type", "string"}, {"enum", {"now", "weekday", "add_days", "days_between"}}}},
        {"zone",
         {{"type", "string"},
          {"description", "IANA name, for example Europe/Paris; the local zone without it"}}},
        {"date", date},
        {"to", {{"type", "string"}, {"description", "the later date, of days_between"}}},
        {"days",
         {{"type", "integer"},
          {"minimum", -kMaxDays},
          {"maximum", kMaxDays},
          {"description", "of add_days; may be negative"}}}}},
      {"additionalProperties",
       false}}.dump();
  tool.run = [now = std::move(now)](const json& arguments, const CancelToken*) {
    return RunClock(arguments, now());
  };
  return tool;
}

}  // namespace vade::qa
