#include "vectorstore/glob.h"

#include <cstddef>

namespace vade::vectorstore {
namespace {

// Matches one byte against the pattern element at `at` and moves `at` behind the element.
bool MatchOne(std::string_view pattern, size_t& at, char c) noexcept {
  const char element = pattern[at++];
  if (element == '?') return true;
  if (element == '\\' && at < pattern.size()) return pattern[at++] == c;
  if (element != '[') return element == c;
  size_t i = at;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  const size_t first = i;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    const auto low = static_cast<unsigned char>(pattern[i]);
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    found |= low <= byte && byte <= high;
  }
  if (i >= pattern.size()) return c == '[';  // no closing bracket: a plain character
  at = i + 1;
  return found != negated;
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view text) noexcept {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // after the last '*': where to try again
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    size_t next = p;
    if (p < pattern.size() && MatchOne(pattern, next, text[t])) {
      p = next;
      ++t;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool PathMatches(std::string_view pattern, std::string_view path) noexcept {
  if (GlobMatches(pattern, path)) return true;
  const size_t slash = path.rfind('/');
  if (slash != std::string_view::npos && GlobMatches(pattern, path.substr(slash + 1))) return true;
  if (pattern.find_first_of("*?[\\") != std::string_view::npos || pattern.empty()) return false;
  if (pattern.back() == '/') pattern.remove_suffix(1);
  return path.size() > pattern.size() && path.starts_with(pattern) && path[pattern.size()] == '/';
}

}  // namespace vade::vectorstore
