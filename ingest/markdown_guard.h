// Makes untrusted Markdown safe for a parser whose worst cases are quadratic.
#pragma once

#include <string>
#include <string_view>

namespace vade::ingest {

/// The same Markdown with absurdities cut: at most 64 container markers and 256 columns of indent
/// before a line's text, 256 cells in a table row and half a million in a table, and per paragraph
/// 200 images (further ones become links: the same text) and 500 raw markup openers. Also turns
/// ":::note" fences of documentation generators into paragraphs. One pass, linear.
[[nodiscard]] std::string GuardMarkdown(std::string_view markdown);

}  // namespace vade::ingest
