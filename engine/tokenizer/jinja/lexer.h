// Cuts a template into text and tags, and the inside of tags into tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace vade::tokenizer::jinja {

enum class TokenKind : uint8_t {
  kText,        // literal output; `text` after whitespace control
  kPrintBegin,  // {{
  kPrintEnd,
  kBlockBegin,  // {%
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // decoded for strings
  uint32_t line = 1;
};

/// Lexes as Jinja does with trim_blocks and lstrip_blocks, the settings of Hugging Face
/// transformers: "-" beside a tag strips all white space, "+" keeps it, comments vanish, {% raw %}
/// is text, and one newline at the end of the template is dropped.
/// Errors: kInvalidArgument "line N: ...".
[[nodiscard]] Result<std::vector<Token>> Lex(std::string_view source);

}  // namespace vade::tokenizer::jinja
