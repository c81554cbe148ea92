// Identifier scanner and question shortening.
#include "retriever/query.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace vade::retriever {
namespace {

bool IsDigit(char32_t c) { return c >= '0' && c <= '9'; }
bool IsUpper(char32_t c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char32_t c) { return IsUpper(c) || (c >= 'a' && c <= 'z'); }

/// PDF text writes the same hyphen in several ways; all of them mean "-" in a part number.
bool IsDash(char32_t c) {
  return c == '-' || (c >= 0x2010 && c <= 0x2013) || c == 0x2212 || c == 0xFF0D;
}

bool IsJoiner(char32_t c) { return IsDash(c) || c == '_' || c == '.' || c == '/'; }

/// What one run of letters, digits and single joiners is made of.
struct Shape {
  size_t letters = 0, digits = 0, uppers = 0, dashes = 0, underscores = 0, dots = 0, slashes = 0;
  size_t leading_digits = 0;
  size_t digit_groups = 0;
};

/// A quantity begins with digits ("5GHz", "24-hour", "2nd"), an identifier with a letter, or it
/// shows by capitals and dashes, or by many digits, that somebody numbered a part.
bool LooksLikeIdentifier(const Shape& shape) {
  if (shape.slashes > 0) return false;
  if (shape.underscores > 0) return shape.letters > 0;
  if (shape.digits == 0) return false;
  if (shape.letters > 0 && shape.leading_digits == 0) return true;
  if (shape.dashes == 0 || shape.dots > 0) return false;
  if (shape.letters > 0) return shape.uppers > 0 && shape.digits >= 3;
  const bool year_range = shape.digits == 8 && shape.dashes == 1;
  const bool date = shape.digit_groups == 3 && shape.digits <= 8;
  return shape.digits >= 5 && !year_range && !date;
}

}  // namespace

std::vector<Identifier> FindIdentifiers(std::string_view text) {
  std::vector<Identifier> found;
  Identifier current;
  Shape shape;
  bool after_joiner = false;
  size_t solid_end = 0;  // end of the run without a trailing joiner
  const auto finish = [&] {
    if (!current.key.empty() && LooksLikeIdentifier(shape)) {
      current.end = solid_end;
      while (!current.key.empty() && current.key.back() == '.') current.key.pop_back();
      found.push_back(std::move(current));
    }
    current = {};
    shape = {};
    after_joiner = false;
  };
  char32_t joiner = 0;
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::Decode(text, at);
    const char32_t c = point.valid ? point.value : U' ';
    if (IsDigit(c) || IsLetter(c)) {
      if (current.key.empty()) {
        current.begin = at;
        joiner = 0;
      }
      if (after_joiner) {  // count a joiner only once something follows it
        shape.dashes += IsDash(joiner) ? 1 : 0;
        shape.underscores += joiner == '_' ? 1 : 0;
        shape.dots += joiner == '.' ? 1 : 0;
        shape.slashes += joiner == '/' ? 1 : 0;
        if (joiner == '.' || joiner == '/') current.key += static_cast<char>(joiner);
      }
      if (IsDigit(c) && (after_joiner || current.key.empty())) ++shape.digit_groups;
      if (IsDigit(c) && shape.letters == 0 && shape.dashes == 0) ++shape.leading_digits;
      shape.digits += IsDigit(c) ? 1 : 0;
      shape.letters += IsLetter(c) ? 1 : 0;
      shape.uppers += IsUpper(c) ? 1 : 0;
      current.key += static_cast<char>(IsUpper(c) ? c - 'A' + 'a' : c);
      after_joiner = false;
      solid_end = at + point.length;
    } else if (IsJoiner(c) && !current.key.empty() && !after_joiner) {
      after_joiner = true;
      joiner = c;
    } else {
      finish();
    }
    at += point.length;
  }
  finish();
  return found;
}

std::vector<std::string> IdentifierKeys(std::string_view text) {
  std::vector<std::string> keys;
  for (Identifier& identifier : FindIdentifiers(text)) {
    if (std::find(keys.begin(), keys.end(), identifier.key) == keys.end()) {
      keys.push_back(std::move(identifier.key));
    }
  }
  return keys;
}

FittedQuestion FitToEmbedder(std::string_view question, const embed::Embedder& embedder) {
  const size_t limit =
      embedder.max_tokens() - std::min(embedder.max_tokens(), embedder.special_tokens());
  // Growing first keeps a megabyte of question from being tokenised more than once or twice.
  constexpr size_t kFirstBytes = 4096;
  size_t fits = 0;
  size_t too_long = std::min(question.size(), kFirstBytes);
  size_t tokens = 0;
  for (;;) {
    tokens = embedder.CountTokens(question.substr(0, utf8::FloorBoundary(question, too_long)));
    if (tokens > limit) break;
    if (too_long == question.size()) return {question, tokens, false};
    fits = too_long;
    too_long = std::min(question.size(), too_long * 4);
  }
  while (too_long - fits > 1) {
    const size_t middle = utf8::FloorBoundary(question, fits + (too_long - fits) / 2);
    if (middle <= fits) break;
    const bool ok = embedder.CountTokens(question.substr(0, middle)) <= limit;
    (ok ? fits : too_long) = middle;
  }
  fits = utf8::FloorBoundary(question, fits);
  const size_t space = question.substr(0, fits).find_last_of(" \t\n");
  if (space != std::string_view::npos && space > fits / 2) fits = space;
  return {question.substr(0, fits), tokens, true};
}

}  // namespace vade::retriever
