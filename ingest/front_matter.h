// The metadata block that static site generators put before Markdown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vade::ingest {

struct FrontMatter {
  std::string title;
  size_t bytes = 0;  // of the whole block; 0: there is none
};

/// YAML between "---" lines or TOML between "+++" lines at the very start. Only the title is read.
[[nodiscard]] FrontMatter ParseFrontMatter(std::string_view text);

}  // namespace vade::ingest
