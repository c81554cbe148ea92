// Clock: what time it is somewhere, and how far dates are apart.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "qa/tools/tool.h"

namespace vade::qa {

using Now = std::function<std::chrono::system_clock::time_point()>;

/// "Saturday, 2026-11-21T13:05:00+01:00 (Europe/Paris)". An empty zone is this machine's.
/// Errors: kInvalidArgument for a zone that the IANA database does not have.
[[nodiscard]] Result<std::string> TimeIn(std::string_view zone,
                                         std::chrono::system_clock::time_point now);

/// A day of the proleptic Gregorian calendar, years 1 to 9999.
/// Errors: kInvalidArgument for what is no date written as YYYY-MM-DD.
[[nodiscard]] Result<std::chrono::sys_days> ParseDate(std::string_view text);

/// "2026-11-21 (Saturday)".
[[nodiscard]] std::string ShowDate(std::chrono::sys_days day);

[[nodiscard]] Tool ClockTool(Now now = std::chrono::system_clock::now);

}  // namespace vade::qa
