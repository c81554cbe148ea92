// One forward scan per sentence, looking back only over the word before a full stop.
#include "ingest/sentences.h"

#include <algorithm>
#include <array>
#include <string>

namespace vade::ingest {
namespace {

constexpr bool IsBlank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n'; }
constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool IsUpper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool IsLower(char c) noexcept { return c >= 'a' && c <= 'z'; }

// Length of the one of `symbols` at `at`, or 0.
template <size_t kCount>
size_t MatchAny(std::string_view text, size_t at,
                const std::array<std::string_view, kCount>& symbols) {
  for (const std::string_view symbol : symbols) {
    if (text.compare(at, symbol.size(), symbol) == 0) return symbol.size();
  }
  return 0;
}

constexpr std::array<std::string_view, 10> kClosers = {"\"", "'", ")",  "]",  "”",
                                                       "’",  "»", "」", "』", "）"};
constexpr std::array<std::string_view, 4> kCjkStops = {"。", "！", "？", "｡"};
constexpr std::array<std::string_view, 5> kCjkCommas = {"、", "，", "；", "：", "､"};

size_t SkipClosers(std::string_view text, size_t at) {
  while (at < text.size()) {
    const size_t length = MatchAny(text, at, kClosers);
    if (length == 0) break;
    at += length;
  }
  return at;
}

// Whether the "." at `stop` belongs to the word before it.
bool IsAbbreviation(std::string_view text, size_t begin, size_t stop) {
  constexpr size_t kLongest = 6;
  size_t word = stop;
  while (word > begin && stop - word <= kLongest && !IsBlank(text[word - 1]) &&
         text[word - 1] != '(') {
    --word;
  }
  const size_t length = stop - word;
  if (length == 0 || length > kLongest) return false;
  if (length == 1 && IsUpper(text[word])) return true;  // an initial
  const bool digits = std::all_of(text.begin() + static_cast<std::ptrdiff_t>(word),
                                  text.begin() + static_cast<std::ptrdiff_t>(stop), IsDigit);
  if (digits) return word == begin && length <= 3;  // "12. Press ..."
  std::string lower(text.substr(word, length));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return IsUpper(c) ? static_cast<char>(c + 32) : c; });
  static constexpr std::array<std::string_view, 22> kAbbreviations = {
      "e.g", "i.e", "mr",  "mrs", "ms", "dr", "prof", "no", "nos", "fig", "figs",
      "vs",  "vol", "sec", "ch",  "pp", "p",  "cf",   "al", "eq",  "ref", "approx"};
  return std::find(kAbbreviations.begin(), kAbbreviations.end(), lower) != kAbbreviations.end();
}

// `at` is behind the punctuation: does a new sentence plausibly follow?
bool IsFollowedByStart(std::string_view text, size_t at) {
  if (at >= text.size()) return true;
  if (!IsBlank(text[at])) return false;
  while (at < text.size() && IsBlank(text[at])) ++at;
  return at >= text.size() || !IsLower(text[at]);
}

size_t ScanEnd(std::string_view text, size_t begin, bool at_clauses) {
  for (size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n' && at > begin) return at;
    if (c == '.' || c == '!' || c == '?') {
      size_t end = at + 1;
      while (end < text.size() && (text[end] == '.' || text[end] == '!' || text[end] == '?')) ++end;
      const bool single = end == at + 1;
      end = SkipClosers(text, end);
      if (IsFollowedByStart(text, end) &&
          !(c == '.' && single && IsAbbreviation(text, begin, at))) {
        return end;
      }
      at = end - 1;
    } else if (at_clauses && (c == ',' || c == ';' || c == ':' || c == ')') &&
               at + 1 < text.size() && IsBlank(text[at + 1])) {
      return at + 1;
    } else if (static_cast<uint8_t>(c) >= 0xE2) {
      if (const size_t length = MatchAny(text, at, kCjkStops); length > 0) {
        return SkipClosers(text, at + length);
      }
      if (!at_clauses) continue;
      if (const size_t length = MatchAny(text, at, kCjkCommas); length > 0) return at + length;
    }
  }
  return text.size();
}

}  // namespace

size_t SentenceEnd(std::string_view text, size_t begin) { return ScanEnd(text, begin, false); }

size_t ClauseEnd(std::string_view text, size_t begin) { return ScanEnd(text, begin, true); }

}  // namespace vade::ingest
