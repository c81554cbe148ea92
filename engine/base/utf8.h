// UTF-8: validation, stepping, repair. Everything stored is valid UTF-8; nothing cuts a code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vade::utf8 {

inline constexpr char32_t kReplacement = 0xFFFD;

struct CodePoint {
  char32_t value;   // kReplacement for an invalid sequence
  uint32_t length;  // bytes consumed, >= 1
  bool valid;
};

/// Decodes the code point at `at`; overlong forms, surrogates and values above U+10FFFF are invalid
/// and consume the maximal invalid prefix (Unicode 15, section 3.9). REQUIRES at < text.size().
[[nodiscard]] CodePoint Decode(std::string_view text, size_t at) noexcept;

void Append(char32_t code_point, std::string& out);

[[nodiscard]] bool IsValid(std::string_view text) noexcept;

/// `text` with each invalid sequence replaced by U+FFFD.
[[nodiscard]] std::string Repair(std::string_view text);

/// The largest code point boundary <= at (at is clamped to the size).
[[nodiscard]] size_t FloorBoundary(std::string_view text, size_t at) noexcept;

[[nodiscard]] size_t CountCodePoints(std::string_view text) noexcept;

/// `bytes` made safe for a terminal or a log: valid UTF-8 kept, control characters, ESC, bidi
/// overrides and invalid bytes shown as \n, \x1b, \u202e ... File names come from strangers.
[[nodiscard]] std::string Escape(std::string_view bytes);

}  // namespace vade::utf8
