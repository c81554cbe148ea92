#include "qa/cli/text_width.h"

#include <algorithm>
#include <array>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Blocks whose letters are wide (Unicode 15, East Asian Width W and F), joined where what lies
// between is rare.
constexpr std::array<Range, 12> kWide = {{{0x1100, 0x115F},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0xA4CF},
                                          {0xA960, 0xA97C},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFE30, 0xFE6F},
                                          {0xFF00, 0xFF60},
                                          {0xFFE0, 0xFFE6},
                                          {0x1F300, 0x1F64F},
                                          {0x1F900, 0x1F9FF},
                                          {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 5> kZero = {
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <size_t kCount>
bool In(const std::array<Range, kCount>& ranges, char32_t c) {
  for (const Range& range : ranges) {
    if (c >= range.first && c <= range.last) return true;
  }
  return false;
}

size_t Columns(char32_t c) {
  if (In(kZero, c)) return 0;
  return In(kWide, c) ? 2 : 1;
}

}  // namespace

size_t TextWidth(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::Decode(text, at);
    width += Columns(point.value);
    at += point.length;
  }
  return width;
}

std::string FitWidth(std::string_view text, size_t columns) {
  if (const size_t width = TextWidth(text); width <= columns) {
    return std::string(text) + std::string(columns - width, ' ');
  }
  std::string out;
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::Decode(text, at);
    if (width + Columns(point.value) + 1 > columns) break;
    width += Columns(point.value);
    out += text.substr(at, point.length);
    at += point.length;
  }
  if (columns > 0) out += "…";
  return out + std::string(columns - std::min(columns, width + 1), ' ');
}

std::string FitRight(std::string_view text, size_t columns) {
  const size_t width = TextWidth(text);
  if (width > columns) return FitWidth(text, columns);
  return std::string(columns - width, ' ') + std::string(text);
}

}  // namespace vade::qa
