// Tokens of a template -> its syntax tree.
#pragma once

#include <vector>

#include "engine/base/result.h"
#include "engine/tokenizer/jinja/ast.h"
#include "engine/tokenizer/jinja/lexer.h"

namespace vade::tokenizer::jinja {

/// Errors: kInvalidArgument "line N: got X, expected Y", kResource when nested too deeply,
/// kUnsupported for import, include, extends and other tags that reach outside the template.
[[nodiscard]] Result<Body> Parse(std::vector<Token> tokens);

}  // namespace vade::tokenizer::jinja
