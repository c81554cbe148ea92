// Hand-written: std::regex has no place near untrusted text.
#include "ingest/list_marker.h"

#include <algorithm>
#include <cctype>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

constexpr std::u32string_view kBullets =
    U"\u2022\u2023\u25E6\u25AA\u25AB\u25CF\u25CB\u25A0\u25A1\u25C6\u25C7\u2043\u2219\u27A2\u2713"
    U"\u2714\u25B6\u25BA\u00B7\uF0B7\uF0A7\uF0D8\u30FB\u318D";
constexpr std::u32string_view kDashes = U"-\u2013\u2014*";
constexpr std::u32string_view kHangulLetters = U"가나다라마바사아자차카타파하";

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// "12", "b" or "가": bytes of the number itself, 0 if there is none.
size_t NumberLength(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && digits < 4 && IsDigit(text[digits])) ++digits;
  if (digits > 0) return digits <= 3 ? digits : 0;
  if (text.empty()) return 0;
  if (IsLetter(text[0])) return 1;
  const utf8::CodePoint c = utf8::Decode(text, 0);
  return kHangulLetters.find(c.value) != std::u32string_view::npos ? c.length : 0;
}

// "3." "3)" "(3)" "b)" "가." and no more than that.
size_t NumberedLength(std::string_view text) {
  const bool open = text.starts_with('(');
  const size_t number = NumberLength(text.substr(open));
  if (number == 0) return 0;
  const size_t end = number + (open ? 1 : 0);
  if (end >= text.size()) return 0;
  if (text[end] == ')') return end + 1;
  // "A. Smith" is a name: letters need a bracket, but for small ones.
  const bool letter = IsLetter(text[0]);
  const bool small = letter && std::islower(static_cast<unsigned char>(text[0])) != 0;
  return !open && text[end] == '.' && (!letter || small) ? end + 1 : 0;
}

}  // namespace

std::optional<ListMarker> FindListMarker(std::string_view line) {
  if (line.empty()) return std::nullopt;
  const utf8::CodePoint first = utf8::Decode(line, 0);
  ListMarker found;
  bool needs_space = true;
  if (kBullets.find(first.value) != std::u32string_view::npos) {
    found = {"-", first.length};
    needs_space = false;
  } else if (kDashes.find(first.value) != std::u32string_view::npos) {
    found = {"-", first.length};
  } else if (first.value >= 0x2460 && first.value <= 0x2473) {  // circled numbers
    found = {std::string(line.substr(0, first.length)), first.length};
    needs_space = false;
  } else if (const size_t length = NumberedLength(line); length > 0) {
    found = {std::string(line.substr(0, length)), length};
  } else {
    return std::nullopt;
  }
  const size_t text = line.find_first_not_of(' ', found.length);
  if (text == std::string_view::npos) {
    found.length = line.size();
    return found;
  }
  if (needs_space && text == found.length) return std::nullopt;
  found.length = text;
  return found;
}

}  // namespace vade::ingest
