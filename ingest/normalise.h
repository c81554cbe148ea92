// Clean text: what every stored string goes through. Valid UTF-8, NFC, nothing invisible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vade::ingest {

/// What cleaning took away, for the report (faults.md 22 and 38).
struct CleaningCounts {
  uint64_t invisible = 0;  // control, zero-width, bidi, tag characters and the like, removed
  uint64_t invalid = 0;    // malformed UTF-8 sequences, each now U+FFFD
};

/// Appends `text` as one line: whitespace of any kind folded to single spaces and trimmed.
/// Appends nothing for text without visible characters.
void AppendOneLine(std::string_view text, std::string& out, CleaningCounts& counts);

/// Appends `text` keeping its lines, tabs and runs of spaces. Line ends become "\n"; blank lines at
/// both ends and spaces at line ends are dropped.
void AppendVerbatim(std::string_view text, std::string& out, CleaningCounts& counts);

/// Joins the hard-wrapped lines of a paragraph: a word hyphenated at a line end is made whole
/// ("pres-\nsure" -> "pressure", but "self-\ntest" -> "self-test"), lines of Han or Kana meet
/// without a space, all others with one.
[[nodiscard]] std::string JoinLines(std::string_view text);

/// Appends `next`, a continuation of the line `out` ends with, by the same rules.
void AppendJoined(std::string_view next, std::string& out);

}  // namespace vade::ingest
