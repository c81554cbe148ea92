// A report as a table for people and as JSON for programs.
#pragma once

#include <string>

#include "qa/eval/report.h"

namespace vade::qa::eval {

/// `bold`: mark the best value of each measure with terminal escapes besides its asterisk.
[[nodiscard]] std::string FormatTable(const Report& report, bool bold);

/// Everything, with per-question values; docs/evaluation.md lists the fields.
[[nodiscard]] std::string FormatJson(const Report& report);

}  // namespace vade::qa::eval
