// Whether a value written for one schema could also match another: oneOf wants exactly one match.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/runtime/json_schema_document.h"

namespace vade::runtime {

/// True if it is certain that what our grammar writes for `written` does not match `other`: other
/// types or values, or a property that tells them apart. False means "perhaps".
[[nodiscard]] Result<bool> NeverMatches(SchemaDocument& document, const Json& written,
                                        const Json& other, const std::string& where, int depth = 0);

/// The types a flattened schema allows: its "type", else what its keywords imply, else all.
[[nodiscard]] Json TypesOf(const Json& flat);

}  // namespace vade::runtime
