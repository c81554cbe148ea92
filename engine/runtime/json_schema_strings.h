// The string part of JSON Schema as grammars: lengths, patterns, formats, and keys not listed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/runtime/gbnf_builder.h"
#include "engine/runtime/json_schema_document.h"

namespace vade::runtime {

/// A GBNF item for the strings (quotes included) of a flattened schema; nothing if there are none.
/// Refers to the rules of JSON. Errors: kUnsupported for a format or a pattern we do not read.
[[nodiscard]] Result<std::optional<std::string>> StringGbnf(const Json& flat,
                                                            const std::string& where);

/// A GBNF item for the strings, written without escapes, that are none of `names`.
[[nodiscard]] std::string OtherKeysGbnf(const std::vector<std::string>& names,
                                        GbnfBuilder& grammar);

}  // namespace vade::runtime
