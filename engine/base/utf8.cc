// UTF-8 decoding by the table of well-formed byte sequences (Unicode 15, table 3-7).
#include "engine/base/utf8.h"

#include <algorithm>
#include <cstdio>

namespace vade::utf8 {
namespace {

struct Lead {
  uint32_t length;    // 0: not a lead byte
  uint8_t low, high;  // range of the second byte
};

constexpr Lead ClassifyLead(uint8_t byte) noexcept {
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Bidi controls, zero-width and tag characters can make a name read as another one.
constexpr bool IsDeceptive(char32_t c) noexcept {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || c == 0x2028 || c == 0x2029 ||
         (c >= 0xE0000 && c <= 0xE007F);
}

}  // namespace

CodePoint Decode(std::string_view text, size_t at) noexcept {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = ClassifyLead(first);
  if (lead.length == 0) return {kReplacement, 1, false};
  char32_t value = first & (0xFFu >> (lead.length + 1));
  for (uint32_t i = 1; i < lead.length; ++i) {
    if (at + i >= text.size()) return {kReplacement, i, false};
    const uint8_t next = byte(at + i);
    const uint8_t low = i == 1 ? lead.low : 0x80;
    const uint8_t high = i == 1 ? lead.high : 0xBF;
    if (next < low || next > high) return {kReplacement, i, false};
    value = (value << 6) | (next & 0x3Fu);
  }
  return {value, lead.length, true};
}

void Append(char32_t c, std::string& out) {
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = kReplacement;
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (c >> 18)));
    out.push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

bool IsValid(std::string_view text) noexcept {
  for (size_t at = 0; at < text.size();) {
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const CodePoint c = Decode(text, at);
    if (!c.valid) return false;
    at += c.length;
  }
  return true;
}

std::string Repair(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = Decode(text, at);
    if (c.valid) {
      out.append(text.substr(at, c.length));
    } else {
      Append(kReplacement, out);
    }
    at += c.length;
  }
  return out;
}

size_t FloorBoundary(std::string_view text, size_t at) noexcept {
  at = std::min(at, text.size());
  if (at == text.size()) return at;
  while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

size_t CountCodePoints(std::string_view text) noexcept {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

std::string Escape(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  char buffer[16];
  for (size_t at = 0; at < bytes.size();) {
    const CodePoint c = Decode(bytes, at);
    if (!c.valid) {
      for (uint32_t i = 0; i < c.length; ++i) {
        std::snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<uint8_t>(bytes[at + i]));
        out += buffer;
      }
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value < 0x20 || (c.value >= 0x7F && c.value < 0xA0)) {
      std::snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<unsigned>(c.value));
      out += buffer;
    } else if (IsDeceptive(c.value)) {
      std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c.value));
      out += buffer;
    } else {
      out.append(bytes.substr(at, c.length));
    }
    at += c.length;
  }
  return out;
}

}  // namespace vade::utf8
