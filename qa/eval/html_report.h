// A report as one HTML page: no scripts, no links to anywhere, light and dark, printable.
#pragma once

#include <string>

#include "qa/eval/report.h"

namespace vade::qa::eval {

/// Every text from a file is escaped. Plots are inline SVG.
[[nodiscard]] std::string FormatHtml(const Report& report);

}  // namespace vade::qa::eval
