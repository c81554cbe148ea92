// Runs a parsed template. No file, import, attribute of the host or clock is within its reach.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/tokenizer/jinja/ast.h"
#include "engine/tokenizer/jinja/runtime.h"
#include "engine/tokenizer/jinja/value.h"

namespace vade::tokenizer::jinja {

/// Renders `body` with `variables` as its global names.
/// Errors: kInvalidArgument for what Python would raise and for raise_exception(message), whose
/// message is passed on as it is; kUnsupported; kResource when the budget is used up.
[[nodiscard]] Result<std::string> Render(const Body& body, const Dict& variables, Budget budget);

}  // namespace vade::tokenizer::jinja
