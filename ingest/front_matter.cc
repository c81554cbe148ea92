// One line of one key: no YAML or TOML parser is needed, and none is exposed to strangers.
#include "ingest/front_matter.h"

#include <algorithm>

namespace vade::ingest {
namespace {

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "title: Pump manual", "title = 'Pump manual'".
std::string_view TitleIn(std::string_view line, char separator) {
  constexpr std::string_view kKey = "title";
  if (line.substr(0, kKey.size()) != kKey) return {};
  std::string_view rest = Trim(line.substr(kKey.size()));
  if (rest.empty() || rest.front() != separator) return {};
  rest = Trim(rest.substr(1));
  const bool quoted = rest.size() >= 2 && (rest.front() == '"' || rest.front() == '\'') &&
                      rest.back() == rest.front();
  return quoted ? rest.substr(1, rest.size() - 2) : rest;
}

}  // namespace

FrontMatter ParseFrontMatter(std::string_view text) {
  constexpr size_t kMaxBytes = size_t{64} << 10;
  const std::string_view fence = text.substr(0, 3);
  if ((fence != "---" && fence != "+++") || text.substr(3, 1) != "\n") return {};
  FrontMatter out;
  for (size_t at = 4; at < std::min(text.size(), kMaxBytes);) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = Trim(text.substr(at, end - at));
    // A thematic break followed by a paragraph is not metadata.
    if (line.empty() && at == 4) return {};
    if (line == fence || (fence == "---" && line == "...")) {
      out.bytes = std::min(end + 1, text.size());
      return out;
    }
    if (out.title.empty()) out.title = TitleIn(line, fence == "---" ? ':' : '=');
    at = end + 1;
  }
  return {};
}

}  // namespace vade::ingest
