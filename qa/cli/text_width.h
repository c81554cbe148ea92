// How many columns of a terminal a text takes: Korean, Chinese and Japanese letters take two.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vade::qa {

/// Columns of valid UTF-8 without control characters; combining marks take none.
[[nodiscard]] size_t TextWidth(std::string_view text);

/// `text` in exactly `columns` columns: padded with spaces, or cut with "…" in its last column.
[[nodiscard]] std::string FitWidth(std::string_view text, size_t columns);

/// The same, padded on the left.
[[nodiscard]] std::string FitRight(std::string_view text, size_t columns);

}  // namespace vade::qa
