// What a tool gave, made safe for a prompt: data in marks, with nothing unseen in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vade::qa {

/// Valid UTF-8 without what a reader does not see and a model does: control characters (but tab and
/// line break), Unicode tags, zero-width and bidirectional controls, variation selectors of the
/// supplement (faults.md 38).
[[nodiscard]] std::string RemoveUnseen(std::string_view text);

/// At most `max_bytes` of `text`; one that was longer ends in a line saying how much was cut.
[[nodiscard]] std::string CutText(std::string text, size_t max_bytes);

/// The output between marks that name the tool and say that it is data. Such marks inside it are
/// made harmless.
[[nodiscard]] std::string MarkToolOutput(std::string_view tool, std::string_view text);

}  // namespace vade::qa
