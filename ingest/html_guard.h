// Makes untrusted HTML small and harmless before a real parser sees it.
#pragma once

#include <string>
#include <string_view>

namespace vade::ingest {

/// Rewrites HTML keeping only what carries structure or text: block elements, line breaks, images'
/// alternative text, table spans, and a `hidden` mark wherever the author hid something. Comments,
/// scripts, styles, inline formatting and all other attributes are gone; open elements nest at most
/// 512 deep. This bounds the cases where HTML5 tree construction is quadratic (attribute lists,
/// unclosed formatting elements, deep nesting). One pass, linear.
[[nodiscard]] std::string GuardHtml(std::string_view html);

}  // namespace vade::ingest
