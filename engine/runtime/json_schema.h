// JSON Schema -> grammar: whatever text the grammar accepts is JSON that the schema accepts.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::runtime {

/// A grammar (GBNF) for values of `schema` (JSON text; drafts 7 to 2020-12).
///
/// Read: type (also a list), enum, const, properties, required, additionalProperties, items,
/// prefixItems, minItems, maxItems, minLength, maxLength, pattern (see RegexGbnf), format (date,
/// time, date-time, uuid), minimum/maximum/exclusiveMinimum/exclusiveMaximum (whole bounds),
/// anyOf, oneOf (alternatives that cannot overlap), allOf, $ref inside the document, also
/// recursive, $defs. Annotations (title, description, default, ...) change nothing.
///
/// The grammar writes less than the schema allows where more would only invite nonsense: properties
/// in the order of the schema, no extra ones unless additionalProperties says so or no properties
/// are listed, all of prefixItems and nothing after them unless `items` is given, numbers of at
/// most 18 digits, keywords without a "type" imply theirs, bounded blanks.
///
/// Errors: kUnsupported naming the place and the keyword that is not read ("schema at
/// #/properties/a: keyword \"not\" is not supported"), kInvalidArgument for what is no schema or
/// can match nothing, kResource for one too large or too deep.
[[nodiscard]] Result<std::string> JsonSchemaGbnf(std::string_view schema);

/// A grammar for any JSON object (what APIs call json_object mode).
[[nodiscard]] std::string JsonObjectGbnf();

}  // namespace vade::runtime
