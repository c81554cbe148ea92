// Three passes of space removal, each linear.
#include "engine/tokenizer/detokenize.h"

#include "engine/gguf/names.h"

namespace vade::tokenizer {
namespace {

std::string DropSpacesBeforePunctuation(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool closes = c == '?' || c == '!' || c == '.' || c == ',';
    if (closes && out.ends_with(' ')) out.pop_back();
    out.push_back(c);
  }
  return out;
}

std::string JoinLoneApostrophes(std::string_view text) {
  std::string out;
  bool after_space = false;  // the input's previous character was a space still in `out`
  for (size_t i = 0; i < text.size(); ++i) {
    const bool lone = text[i] == '\'' && after_space && i + 1 < text.size() && text[i + 1] == ' ';
    after_space = text[i] == ' ';
    if (lone) {
      out.pop_back();
      ++i;  // the space that follows goes too
      out.push_back('\'');
      continue;
    }
    out.push_back(text[i]);
  }
  return out;
}

std::string JoinContractions(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (out.ends_with(' ') && (rest.starts_with("'s") || rest.starts_with("'m") ||
                               rest.starts_with("'re") || rest.starts_with("'ve"))) {
      out.pop_back();
    }
    out.push_back(text[i]);
  }
  return out;
}

}  // namespace

std::string WordStartsToSpaces(std::string_view piece) {
  std::string out;
  while (!piece.empty()) {
    const bool mark = piece.starts_with(gguf::kWordStart);
    out.push_back(mark ? ' ' : piece.front());
    piece.remove_prefix(mark ? gguf::kWordStart.size() : 1);
  }
  return out;
}

std::string CleanUpSpaces(std::string_view text) {
  return JoinContractions(JoinLoneApostrophes(DropSpacesBeforePunctuation(text)));
}

}  // namespace vade::tokenizer
