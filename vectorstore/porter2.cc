// Steps and suffix tables follow the published description of the English stemmer, revision of
// 2021 (the one in libstemmer 2.x). 'Y' stands for a y that acts as a consonant.
#include "vectorstore/porter2.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace vade::vectorstore {
namespace {

constexpr std::string_view kVowels = "aeiouy";

bool IsVowel(char c) noexcept { return kVowels.find(c) != std::string_view::npos; }

bool EndsWithDouble(std::string_view word) noexcept {
  if (word.size() < 2 || word[word.size() - 1] != word[word.size() - 2]) return false;
  return std::string_view("bdfgmnprt").find(word.back()) != std::string_view::npos;
}

bool IsValidLi(char c) noexcept {
  return std::string_view("cdeghkmnrt").find(c) != std::string_view::npos;
}

struct Replacement {
  std::string_view suffix;
  std::string_view with;
};

// Irregular words, and words that must stay as they are.
constexpr std::array<Replacement, 18> kExceptions = {{
    {"skis", "ski"},
    {"skies", "sky"},
    {"dying", "die"},
    {"lying", "lie"},
    {"tying", "tie"},
    {"idly", "idl"},
    {"gently", "gentl"},
    {"ugly", "ugli"},
    {"early", "earli"},
    {"only", "onli"},
    {"singly", "singl"},
    {"sky", "sky"},
    {"news", "news"},
    {"howe", "howe"},
    {"atlas", "atlas"},
    {"cosmos", "cosmos"},
    {"bias", "bias"},
    {"andes", "andes"},
}};

// Not stemmed further once step 1a has left exactly these.
constexpr std::array<std::string_view, 8> kInvariantAfter1a = {
    "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"};

constexpr std::array<Replacement, 22> kStep2 = {{
    {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"},   {"abli", "able"},
    {"entli", "ent"},   {"ization", "ize"}, {"izer", "ize"},  {"ation", "ate"},   {"ator", "ate"},
    {"alism", "al"},    {"aliti", "al"},    {"alli", "al"},   {"fulness", "ful"}, {"ousli", "ous"},
    {"ousness", "ous"}, {"iveness", "ive"}, {"iviti", "ive"}, {"biliti", "ble"},  {"bli", "ble"},
    {"fulli", "ful"},   {"lessli", "less"},
}};

constexpr std::array<Replacement, 8> kStep3 = {{
    {"ational", "ate"},
    {"tional", "tion"},
    {"alize", "al"},
    {"icate", "ic"},
    {"iciti", "ic"},
    {"ical", "ic"},
    {"ful", ""},
    {"ness", ""},
}};

constexpr std::array<std::string_view, 17> kStep4 = {"al",   "ance", "ence",  "er",   "ic",  "able",
                                                     "ible", "ant",  "ement", "ment", "ent", "ism",
                                                     "ate",  "iti",  "ous",   "ive",  "ize"};

class Stemmer {
 public:
  explicit Stemmer(std::string_view word) : word_(word) {}

  std::string Run() {
    if (word_.front() == '\'') word_.erase(0, 1);
    MarkConsonantY();
    FindRegions();
    Step0();
    Step1a();
    const bool invariant = std::find(kInvariantAfter1a.begin(), kInvariantAfter1a.end(), word_) !=
                           kInvariantAfter1a.end();
    if (!invariant) {
      Step1b();
      Step1c();
      Step2();
      Step3();
      Step4();
      Step5();
    }
    std::replace(word_.begin(), word_.end(), 'Y', 'y');
    return std::move(word_);
  }

 private:
  [[nodiscard]] bool Ends(std::string_view suffix) const noexcept {
    return std::string_view(word_).ends_with(suffix);
  }
  [[nodiscard]] bool InRegion(std::string_view suffix, size_t region) const noexcept {
    return word_.size() >= region + suffix.size();
  }
  void Replace(std::string_view suffix, std::string_view with) {
    word_.replace(word_.size() - suffix.size(), suffix.size(), with);
  }
  [[nodiscard]] bool HasVowelBefore(size_t end) const noexcept {
    return std::any_of(word_.begin(), word_.begin() + static_cast<std::ptrdiff_t>(end), IsVowel);
  }

  void MarkConsonantY() {
    for (size_t i = 0; i < word_.size(); ++i) {
      if (word_[i] == 'y' && (i == 0 || IsVowel(word_[i - 1]))) word_[i] = 'Y';
    }
  }

  // The region after the first non-vowel that follows a vowel, searched from `from`.
  [[nodiscard]] size_t RegionFrom(size_t from) const noexcept {
    size_t i = from;
    while (i < word_.size() && !IsVowel(word_[i])) ++i;
    while (i < word_.size() && IsVowel(word_[i])) ++i;
    return std::min(i + 1, word_.size());
  }

  void FindRegions() {
    r1_ = RegionFrom(0);
    for (const std::string_view prefix : {"gener", "commun", "arsen"}) {
      if (word_.starts_with(prefix)) r1_ = prefix.size();
    }
    r2_ = RegionFrom(r1_);
  }

  // A short syllable ends the first `end` letters: consonant-vowel-consonant (not w, x, Y), or a
  // vowel and a consonant that are the whole word.
  [[nodiscard]] bool EndsWithShortSyllable(size_t end) const noexcept {
    if (end == 2) return IsVowel(word_[0]) && !IsVowel(word_[1]);
    if (end < 3) return false;
    const char last = word_[end - 1];
    return !IsVowel(last) && last != 'w' && last != 'x' && last != 'Y' && IsVowel(word_[end - 2]) &&
           !IsVowel(word_[end - 3]);
  }

  void Step0() {
    for (const std::string_view suffix : {"'s'", "'s", "'"}) {
      if (Ends(suffix)) return Replace(suffix, "");
    }
  }

  void Step1a() {
    if (Ends("sses")) return Replace("sses", "ss");
    if (Ends("ied") || Ends("ies")) return Replace("ies", word_.size() > 4 ? "i" : "ie");
    if (Ends("us") || Ends("ss") || !Ends("s")) return;
    if (word_.size() >= 2 && HasVowelBefore(word_.size() - 2)) word_.pop_back();
  }

  void Step1b() {
    for (const std::string_view suffix : {"eedly", "eed"}) {
      if (!Ends(suffix)) continue;
      if (InRegion(suffix, r1_)) Replace(suffix, "ee");
      return;
    }
    for (const std::string_view suffix : {"ingly", "edly", "ing", "ed"}) {
      if (!Ends(suffix)) continue;
      if (!HasVowelBefore(word_.size() - suffix.size())) return;
      Replace(suffix, "");
      RepairAfter1b();
      return;
    }
  }

  void RepairAfter1b() {
    if (Ends("at") || Ends("bl") || Ends("iz")) {
      word_.push_back('e');
    } else if (EndsWithDouble(word_)) {
      word_.pop_back();
    } else if (r1_ >= word_.size() && EndsWithShortSyllable(word_.size())) {
      word_.push_back('e');
    }
  }

  void Step1c() {
    if (word_.size() > 2 && (word_.back() == 'y' || word_.back() == 'Y') &&
        !IsVowel(word_[word_.size() - 2])) {
      word_.back() = 'i';
    }
  }

  // The longest matching suffix decides, even if it is then not in the region.
  template <size_t kSize>
  [[nodiscard]] const Replacement* Longest(const std::array<Replacement, kSize>& table) const {
    const Replacement* best = nullptr;
    for (const Replacement& entry : table) {
      if (Ends(entry.suffix) && (!best || entry.suffix.size() > best->suffix.size())) best = &entry;
    }
    return best;
  }

  void Step2() {
    if (const Replacement* entry = Longest(kStep2)) {
      if (InRegion(entry->suffix, r1_)) Replace(entry->suffix, entry->with);
    } else if (Ends("ogi")) {
      if (InRegion("ogi", r1_) && word_.size() > 3 && word_[word_.size() - 4] == 'l') {
        word_.pop_back();
      }
    } else if (Ends("li")) {
      if (InRegion("li", r1_) && word_.size() > 2 && IsValidLi(word_[word_.size() - 3])) {
        Replace("li", "");
      }
    }
  }

  void Step3() {
    if (const Replacement* entry = Longest(kStep3)) {
      if (InRegion(entry->suffix, r1_)) Replace(entry->suffix, entry->with);
    } else if (Ends("ative") && InRegion("ative", r2_)) {
      Replace("ative", "");
    }
  }

  void Step4() {
    std::string_view best;
    for (const std::string_view suffix : kStep4) {
      if (Ends(suffix) && suffix.size() > best.size()) best = suffix;
    }
    if (!best.empty()) {
      if (InRegion(best, r2_)) Replace(best, "");
    } else if (Ends("ion") && InRegion("ion", r2_) && word_.size() > 3 &&
               (word_[word_.size() - 4] == 's' || word_[word_.size() - 4] == 't')) {
      Replace("ion", "");
    }
  }

  void Step5() {
    if (Ends("e")) {
      const bool in_r1 = InRegion("e", r1_);
      if (InRegion("e", r2_) || (in_r1 && !EndsWithShortSyllable(word_.size() - 1))) {
        word_.pop_back();
      }
    } else if (Ends("ll") && InRegion("l", r2_)) {
      word_.pop_back();
    }
  }

  std::string word_;
  size_t r1_ = 0;
  size_t r2_ = 0;
};

}  // namespace

std::string StemEnglish(std::string_view word) {
  if (word.size() <= 2) return std::string(word);
  bool has_letter = false;
  for (const char c : word) {
    if (c >= 'a' && c <= 'z') {
      has_letter = true;
    } else if (c != '\'' && !(c >= '0' && c <= '9')) {
      return std::string(word);
    }
  }
  if (!has_letter) return std::string(word);
  for (const Replacement& exception : kExceptions) {
    if (word == exception.suffix) return std::string(exception.with);
  }
  return Stemmer(word).Run();
}

}  // namespace vade::vectorstore
