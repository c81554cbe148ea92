// A JSON Schema "pattern" as a grammar of JSON strings.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::runtime {

/// A GBNF item for the inside of a JSON string (without its quotes) whose value matches `pattern`,
/// an ECMA-262 regular expression searched anywhere in the value unless anchored by ^ and $.
/// Read: literals, escapes (\d \w \s and negations, \n \r \t \f \v \0 \xHH \uHHHH), classes, ".",
/// groups, alternatives, * + ? {m} {m,} {m,n} and their lazy forms. Anchors only at the ends of the
/// outermost alternatives. Refers to the rule `char`.
/// Errors: kUnsupported (look-around, back references, \b, \p{}, ...), kInvalidArgument,
/// kResource for nesting deeper than 50; "pattern at character N: ...".
[[nodiscard]] Result<std::string> RegexGbnf(std::string_view pattern);

}  // namespace vade::runtime
