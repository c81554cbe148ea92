// Arguments of a call, from a model or from a client: JSON that is parsed within limits and checked
// against a schema before anything is done with it.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::qa {

inline constexpr size_t kMaxJsonDepth = 64;

/// Errors: kInvalidArgument for what is no JSON text (invalid UTF-8 too) or is nested too deeply.
[[nodiscard]] Result<nlohmann::json> ParseJson(std::string_view text,
                                               size_t max_depth = kMaxJsonDepth);

/// Does `value` fit the schema? Read are type, enum, properties, required, additionalProperties
/// (false), minimum, maximum, minLength, maxLength (code points), items, minItems and maxItems:
/// what the schemas of this program use. Errors: kInvalidArgument naming the place, what was got
/// and what is expected, in words that a model can act on: "arguments.k: got 99, expected at most
/// 20".
[[nodiscard]] Result<void> CheckArguments(const nlohmann::json& schema,
                                          const nlohmann::json& value);

/// The arguments of a call of a function with this schema (JSON text; empty: takes none). An empty
/// text is an empty object, as some models write it.
/// Errors: those of ParseJson and CheckArguments.
[[nodiscard]] Result<nlohmann::json> ReadArguments(std::string_view schema, std::string_view text);

}  // namespace vade::qa
