// Shell-style patterns over path bytes.
#pragma once

#include <string_view>

namespace vade::vectorstore {

/// `*` any bytes (also '/'), `?` one byte, `[a-z]` and `[!a-z]` sets, `\` the next byte as it is.
/// Linear in text * pattern at worst, no recursion.
[[nodiscard]] bool GlobMatches(std::string_view pattern, std::string_view text) noexcept;

/// The rule of Filter::path_globs: the pattern matches the path, its last component, or, for a
/// pattern without wildcards, a folder the path is in.
[[nodiscard]] bool PathMatches(std::string_view pattern, std::string_view path) noexcept;

}  // namespace vade::vectorstore
