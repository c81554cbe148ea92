// Recognises what stands before a list item: bullets and numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vade::ingest {

struct ListMarker {
  std::string marker;  // "-" for any bullet, else as written: "3.", "b)", "(2)", "①"
  size_t length = 0;   // bytes of marker and following spaces in the text
};

/// The marker at the beginning of a line, if it has one and text or the end of the line follows.
[[nodiscard]] std::optional<ListMarker> FindListMarker(std::string_view line);

}  // namespace vade::ingest
