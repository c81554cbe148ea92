// Jaccard similarity of word 3-shingles, with equal sets of numbers.
#include "retriever/near_duplicates.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "engine/base/hash.h"
#include "engine/base/utf8.h"

namespace vade::retriever {
namespace {

constexpr size_t kShingleWords = 3;
// Two OCR or conversion variants of one section share well over 0.9 of their shingles; sections of
// two models that differ in one sentence of ten fall below.
constexpr double kMinJaccard = 0.85;

void SortDistinct(std::vector<uint64_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

enum class Kind : uint8_t { kOther, kLetter, kDigit, kJoint };

constexpr std::array<Kind, 128> kKinds = [] {
  std::array<Kind, 128> kinds{};
  for (char c = 'a'; c <= 'z'; ++c) kinds[static_cast<size_t>(c)] = Kind::kLetter;
  for (char c = 'A'; c <= 'Z'; ++c) kinds[static_cast<size_t>(c)] = Kind::kLetter;
  for (char c = '0'; c <= '9'; ++c) kinds[static_cast<size_t>(c)] = Kind::kDigit;
  // Inside a word they tell one number or model from another: 5.2, AP-200, 3/4.
  for (const char c : {'-', '.', '/', ',', ':', '_', '+'}) {
    kinds[static_cast<size_t>(c)] = Kind::kJoint;
  }
  return kinds;
}();

Kind KindAt(std::string_view text, size_t at) {
  if (at >= text.size() || static_cast<unsigned char>(text[at]) >= kKinds.size()) {
    return Kind::kOther;
  }
  return kKinds[static_cast<size_t>(text[at])];
}

// Of a word, byte by byte (FNV-1a).
struct WordHash {
  uint64_t value = 14695981039346656037u;
  bool empty = true;

  void Add(char c) {
    value = (value ^ static_cast<unsigned char>(c)) * 1099511628211u;
    empty = false;
  }
};

bool IsSpaceOrPunctuation(char32_t c) {
  return c == 0xA0 || c == 0xAB || c == 0xAD || c == 0xB7 || c == 0xBB ||
         (c >= 0x2000 && c <= 0x206F) || (c >= 0x3000 && c <= 0x303F) || c == utf8::kReplacement;
}

// Ideographs, kana and Hangul: their spaces, if they have any, are not to be relied upon.
bool IsWordOfItsOwn(char32_t c) { return c >= 0x1100 && !(c >= 0x1E00 && c <= 0x2BFF); }

struct Word {
  WordHash hash;  // in lower case
  bool has_digit = false;
  size_t end = 0;  // where to read on
};

// The word that begins at `at`; empty where none does. REQUIRES at < text.size().
Word ReadWord(std::string_view text, size_t at) {
  Word word;
  const size_t begin = at;
  while (at < text.size()) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) < kKinds.size()) {
      const Kind kind = KindAt(text, at);
      const Kind next = kind == Kind::kJoint ? KindAt(text, at + 1) : Kind::kOther;
      const bool joins = (next == Kind::kLetter && !word.hash.empty) ||
                         (next == Kind::kDigit && (!word.hash.empty || c == '-'));
      if (kind == Kind::kOther || (kind == Kind::kJoint && !joins)) break;
      word.has_digit = word.has_digit || kind == Kind::kDigit;
      word.hash.Add(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
      ++at;
      continue;
    }
    const utf8::CodePoint code_point = utf8::Decode(text, at);
    const bool own = IsWordOfItsOwn(code_point.value);
    if (IsSpaceOrPunctuation(code_point.value) || (own && !word.hash.empty)) break;
    for (const char byte : text.substr(at, code_point.length)) word.hash.Add(byte);
    at += code_point.length;
    if (own) {
      word.has_digit = code_point.value >= 0xFF10 && code_point.value <= 0xFF19;  // wide ones
      break;
    }
  }
  word.end = at > begin ? at : at + utf8::Decode(text, at).length;  // past what separates words
  return word;
}

}  // namespace

TextPrint PrintOf(std::string_view text) {
  TextPrint print;
  std::vector<uint64_t> words;
  for (size_t at = 0; at < text.size();) {
    const Word word = ReadWord(text, at);
    at = word.end;
    if (word.hash.empty) continue;
    words.push_back(word.hash.value);
    if (word.has_digit) print.numbers.push_back(words.back());
  }
  const size_t width = std::min(kShingleWords, words.size());
  for (size_t i = 0; width > 0 && i + width <= words.size(); ++i) {
    print.shingles.push_back(
        Hash64(std::as_bytes(std::span<const uint64_t>(words).subspan(i, width))));
  }
  SortDistinct(print.shingles);
  SortDistinct(print.numbers);
  return print;
}

bool NearDuplicate(const TextPrint& a, const TextPrint& b) {
  if (a.numbers != b.numbers || a.shingles.empty() || b.shingles.empty()) return false;
  std::vector<uint64_t> common;
  std::set_intersection(a.shingles.begin(), a.shingles.end(), b.shingles.begin(), b.shingles.end(),
                        std::back_inserter(common));
  const size_t united = a.shingles.size() + b.shingles.size() - common.size();
  return static_cast<double>(common.size()) >= kMinJaccard * static_cast<double>(united);
}

}  // namespace vade::retriever
