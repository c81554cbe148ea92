// Conversion between units of measure.
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "qa/tools/tool.h"

namespace vade::qa {

/// `value` of the unit `from` in the unit `to`: symbols ("kPa", "l/min", "°F") or English names
/// ("kilopascal", "miles"). Symbols are read as written, then without regard to case where that
/// leaves one unit.
/// Errors: kInvalidArgument for an unknown or ambiguous unit, for units of different quantities
/// ("kg is a mass, m is a length") and for a temperature below absolute zero.
[[nodiscard]] Result<double> ConvertUnits(double value, std::string_view from, std::string_view to);

[[nodiscard]] Tool UnitTool();

}  // namespace vade::qa
