#include "embed/coverage.h"

#include <algorithm>
#include <cstddef>

#include "engine/base/utf8.h"

namespace vade::embed {
namespace {

// A letter as far as coverage is concerned: symbols of other scripts' blocks may slip in, which
// moves the share a little and never decides it.
bool IsLetter(char32_t c) noexcept {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (c < 0xC0 || c == 0xD7 || c == 0xF7) return false;  // Latin-1 signs
  if (c >= 0x2000 && c <= 0x2BFF) return false;          // punctuation, symbols, arrows, maths
  if (c >= 0x3000 && c <= 0x303F) return false;          // CJK punctuation
  if (c >= 0xFF00 && c <= 0xFF20) return false;          // full-width signs and digits
  return c != utf8::kReplacement && (c < 0x1F000 || c > 0x1FAFF);
}

bool Knows(const engine::EncoderEngine& engine, std::string_view word, size_t num_letters) {
  const auto ids = engine.Tokenize(word, false, false);
  const auto unknown = engine.unknown_token();
  if (unknown && std::find(ids.begin(), ids.end(), *unknown) != ids.end()) return false;
  if (num_letters == 1) return word.size() == 1;
  return ids.size() < num_letters;
}

}  // namespace

double CoverageOf(const engine::EncoderEngine& engine, std::string_view text) {
  size_t letters = 0;
  size_t known = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t first = at;
    size_t in_word = 0;
    while (at < text.size()) {
      const utf8::CodePoint point = utf8::Decode(text, at);
      if (!IsLetter(point.value)) break;
      at += point.length;
      ++in_word;
    }
    if (in_word == 0) {
      at += utf8::Decode(text, at).length;
      continue;
    }
    letters += in_word;
    if (Knows(engine, text.substr(first, at - first), in_word)) known += in_word;
  }
  return letters == 0 ? 1.0 : static_cast<double>(known) / static_cast<double>(letters);
}

}  // namespace vade::embed
