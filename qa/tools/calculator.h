// Calculator: arithmetic on text, for models that are bad at it.
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "qa/tools/number.h"
#include "qa/tools/tool.h"

namespace vade::qa {

/// The value of an expression: + - * / ^ (to the right, before a sign: -2^2 is -4), % after a value
/// is a hundredth, before one the remainder (with the sign of the left side); parentheses; sqrt abs
/// round(x[, decimals]) floor ceil min max log (base 10) ln exp sin cos tan; pi e; angles in
/// radians unless marked "deg" or "°". Fractions are computed exactly as long as they fit into 128
/// bits. Errors: kInvalidArgument naming the place: "at 7: expected a number, got ')'"; kResource
/// for more than 1,000 bytes or 64 levels.
[[nodiscard]] Result<Number> Calculate(std::string_view expression);

[[nodiscard]] Tool CalculatorTool();

}  // namespace vade::qa
