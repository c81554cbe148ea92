// The title and the notes that do not depend on the format.
#include "ingest/text_input.h"

#include <filesystem>

namespace vade::ingest {

std::string FileStem(std::string_view file_name) {
  return std::filesystem::path(file_name).stem().string();
}

void AddCharsetNotes(const DecodedText& decoded, Document& document) {
  if (decoded.guessed) document.notes.push_back({0, "charset guessed: " + decoded.charset});
  if (decoded.invalid > 0) {
    document.notes.push_back(
        {0, std::to_string(decoded.invalid) + " invalid byte sequences replaced"});
  }
}

}  // namespace vade::ingest
