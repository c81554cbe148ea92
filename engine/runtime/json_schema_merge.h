// Two JSON Schemas as one that matches what both match: allOf, and $ref or anyOf with siblings.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/runtime/json_schema_document.h"

namespace vade::runtime {

/// Both are flattened (SchemaDocument::Flatten), and so is the result.
/// Errors: kUnsupported for keywords that cannot be combined (two patterns, two tuples).
[[nodiscard]] Result<Json> MergeSchemas(const Json& a, const Json& b, const std::string& where);

}  // namespace vade::runtime
