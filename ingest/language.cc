// Scripts decide first (Hangul, Kana, Han, Cyrillic, ...); Latin text by function words.
#include "ingest/language.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

struct LatinLanguage {
  std::string_view tag;
  std::string_view words;  // separated by spaces
};

// Words that are frequent in one language and rare or absent in the others of this list.
constexpr std::array<LatinLanguage, 11> kLatinLanguages = {{
    {"en", " the of and to is that for with as are this be it from you not your can will or when "},
    {"de", " der die das und ist nicht mit den von zu ein eine auf für werden dem sich wird oder "},
    {"fr", " le la les des et est une dans pour que qui sur pas avec vous par au ce sont votre "},
    {"es", " el los las y es una del para que por con se su como más está al lo usted cuando "},
    {"it", " il di che è per una non con del della sono gli nel alla dei le si questo come anche "},
    {"pt", " o os as e um uma do da dos para com não que em no na ao mais você seu quando são "},
    {"nl", " de het een en van is dat niet op te zijn voor met aan wordt bij ook naar uw deze "},
    {"sv", " och att det som är en på för av med inte den till har ett om kan eller när från "},
    {"pl", " i w na z się nie do jest to że o jak po przez dla od oraz lub może są "},
    {"tr", " ve bir bu için ile da de olarak değil daha olan gibi çok veya kadar ne her en "},
    {"vi", " và của là có được cho không các một trong với này để khi những người từ bạn "},
}};

struct ScriptCounts {
  uint64_t latin = 0, hangul = 0, kana = 0, han = 0, cyrillic = 0, greek = 0, arabic = 0,
           hebrew = 0, thai = 0, devanagari = 0;
};

void CountScript(char32_t c, ScriptCounts& n) {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (in('a', 'z') || in('A', 'Z') || in(0xC0, 0x24F) || in(0x1E00, 0x1EFF)) ++n.latin;
  if (in(0xAC00, 0xD7A3) || in(0x1100, 0x11FF)) ++n.hangul;
  if (in(0x3041, 0x30FF)) ++n.kana;
  if (in(0x3400, 0x9FFF)) ++n.han;
  if (in(0x0400, 0x04FF)) ++n.cyrillic;
  if (in(0x0370, 0x03FF)) ++n.greek;
  if (in(0x0600, 0x06FF)) ++n.arabic;
  if (in(0x0590, 0x05FF)) ++n.hebrew;
  if (in(0x0E00, 0x0E7F)) ++n.thai;
  if (in(0x0900, 0x097F)) ++n.devanagari;
}

// The beginning of a manual is often boilerplate in another language: look at several places.
std::string Sample(std::string_view text) {
  constexpr size_t kSampleBytes = size_t{8} << 10;
  constexpr size_t kSamples = 8;
  if (text.size() <= kSampleBytes * kSamples) return std::string(text);
  std::string out;
  for (size_t i = 0; i < kSamples; ++i) {
    const size_t at = utf8::FloorBoundary(text, text.size() / kSamples * i);
    const size_t end = utf8::FloorBoundary(text, at + kSampleBytes);
    out.append(text.substr(at, end - at)).push_back(' ');
  }
  return out;
}

// Word -> the languages it speaks for, one bit each.
std::unordered_map<std::string_view, uint32_t> MakeWordTable() {
  std::unordered_map<std::string_view, uint32_t> table;
  for (size_t i = 0; i < kLatinLanguages.size(); ++i) {
    const std::string_view words = kLatinLanguages[i].words;
    for (size_t at = 0; at < words.size();) {
      const size_t end = std::min(words.find(' ', at), words.size());
      if (end > at) table[words.substr(at, end - at)] |= uint32_t{1} << i;
      at = end + 1;
    }
  }
  return table;
}

std::string LatinLanguageOf(std::string_view sample) {
  static const std::unordered_map<std::string_view, uint32_t> word_table = MakeWordTable();
  std::array<uint32_t, kLatinLanguages.size()> hits{};
  uint32_t words = 0;
  std::string word;
  const auto end_word = [&] {
    if (word.empty()) return;
    ++words;
    const auto found = word_table.find(word);
    for (size_t i = 0; found != word_table.end() && i < hits.size(); ++i) {
      hits[i] += (found->second >> i) & 1;
    }
    word.clear();
  };
  for (const char c : sample) {
    if ((c >= 'a' && c <= 'z') || static_cast<uint8_t>(c) >= 0x80) {
      if (word.size() < 16) word.push_back(c);
    } else if (c >= 'A' && c <= 'Z') {
      if (word.size() < 16) word.push_back(static_cast<char>(c + 32));
    } else {
      end_word();
    }
  }
  end_word();
  const auto best = std::max_element(hits.begin(), hits.end());
  // Function words make up a third of running text; 1 in 25 still allows for tables and part lists.
  if (*best < 2 || *best * 25 < words) return {};
  return std::string(kLatinLanguages[static_cast<size_t>(best - hits.begin())].tag);
}

}  // namespace

std::string GuessLanguage(std::string_view text) {
  const std::string sample = Sample(text);
  ScriptCounts n;
  for (size_t at = 0; at < sample.size();) {
    const utf8::CodePoint c = utf8::Decode(sample, at);
    CountScript(c.value, n);
    at += c.length;
  }
  // A syllable or ideograph says as much as several letters, and foreign-language manuals are full
  // of Latin product names: weigh them threefold.
  const uint64_t cjk = n.hangul + n.kana + n.han;
  if (cjk > 0 && cjk * 3 >= n.latin) {
    if (n.hangul * 2 >= cjk) return "ko";
    return n.kana * 20 >= cjk ? "ja" : "zh";
  }
  struct Other {
    std::string_view tag;
    uint64_t count;
  };
  const std::array<Other, 6> others = {{{"ru", n.cyrillic},
                                        {"el", n.greek},
                                        {"ar", n.arabic},
                                        {"he", n.hebrew},
                                        {"th", n.thai},
                                        {"hi", n.devanagari}}};
  for (const Other& other : others) {
    if (other.count > 8 && other.count > n.latin) return std::string(other.tag);
  }
  return n.latin == 0 ? std::string() : LatinLanguageOf(sample);
}

}  // namespace vade::ingest
