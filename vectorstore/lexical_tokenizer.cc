// Three kinds of runs make terms:
//   words      "Resetting"  -> reset               folded, English-stemmed
//   compounds  "RX-2000/B"  -> rx2000b, rx, 2000, b  the whole beside its first part
//   unspaced   "서버를"      -> 서, 서버, 서버를, 버, 버를, 를  characters, bigrams and the whole
//   run
// Bigrams let a noun find its particle forms with no dictionary. The forms of one place are
// colocated: they share one position and count once in a text's length.
#include "vectorstore/lexical_tokenizer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/utf8.h"
#include "vectorstore/porter2.h"
#include "vectorstore/unicode_fold.h"

namespace vade::vectorstore {
namespace {

constexpr size_t kMaxTermBytes = 64;         // base64 blobs and hashes are cut, on both sides alike
constexpr size_t kMaxCompoundParts = 16;     // longer chains are paths or tables: parts only
constexpr size_t kMaxWholeRun = 12;          // code points; longer runs are sentences, not words
constexpr size_t kMaxQueryTokens = 512;      // of a query; a page-long question keeps its start
constexpr size_t kMaxQueryBytes = 64 << 10;  // read of a query

void CutTerm(std::string& term) {
  if (term.size() > kMaxTermBytes) term.resize(utf8::FloorBoundary(term, kMaxTermBytes));
}

bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }
bool IsLetter(char c) noexcept { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

class Run {
 public:
  Run(std::string_view text, TokenizeFor purpose)
      : text_(text),
        max_tokens_(purpose == TokenizeFor::kQuery ? kMaxQueryTokens
                                                   : std::numeric_limits<size_t>::max()) {}

  std::vector<Token> Take() {
    while (at_ < text_.size() && tokens_.size() < max_tokens_) {
      const auto [code_point, length, valid] = utf8::Decode(text_, at_);
      switch (valid ? ClassOf(code_point) : CharClass::kSeparator) {
        case CharClass::kWord:
          Compound();
          break;
        case CharClass::kHangul:
          Unspaced(CharClass::kHangul);
          break;
        case CharClass::kHanKana:
          Unspaced(CharClass::kHanKana);
          break;
        case CharClass::kUnspaced:
          Unspaced(CharClass::kUnspaced);
          break;
        case CharClass::kSeparator:
        case CharClass::kIgnorable:
          at_ += length;
      }
    }
    return std::move(tokens_);
  }

 private:
  struct Part {
    std::string folded;
    size_t begin;
    size_t end;
    char connector;  // that follows it, 0: none
  };

  void Emit(std::string term, size_t begin, size_t end, bool colocated) {
    CutTerm(term);
    if (term.empty()) return;
    tokens_.push_back(
        {std::move(term), static_cast<uint32_t>(begin), static_cast<uint32_t>(end), colocated});
  }

  // Letters, digits and marks; an apostrophe between letters belongs to the word.
  Part Word() {
    Part part{{}, at_, at_, 0};
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (IsLetter(c) || IsDigit(c)) {
        part.folded.push_back(static_cast<char>(IsLetter(c) ? c | 0x20 : c));
        ++at_;
      } else if (const size_t apostrophe = ApostropheLength()) {
        part.folded.push_back('\'');
        at_ += apostrophe;
      } else {
        if (static_cast<unsigned char>(c) < 0x80) break;
        const auto [code_point, length, valid] = utf8::Decode(text_, at_);
        if (!valid) break;
        const CharClass char_class = ClassOf(code_point);
        if (char_class != CharClass::kWord && char_class != CharClass::kIgnorable) break;
        if (char_class == CharClass::kWord) AppendFolded(code_point, part.folded);
        at_ += length;
      }
    }
    part.end = at_;
    return part;
  }

  // Bytes of an apostrophe (' or U+2019) at at_ that stands between ASCII letters, else 0.
  [[nodiscard]] size_t ApostropheLength() const noexcept {
    const std::string_view rest = text_.substr(at_);
    const size_t length = rest.starts_with('\'') ? 1 : rest.starts_with("\xE2\x80\x99") ? 3 : 0;
    if (length == 0 || at_ == 0 || at_ + length >= text_.size()) return 0;
    return IsLetter(text_[at_ - 1]) && IsLetter(text_[at_ + length]) ? length : 0;
  }

  // The connector at at_ if a word character follows it, else 0. Sets its length.
  [[nodiscard]] char Connector(size_t* length) const noexcept {
    char connector = text_[at_];
    *length = 1;
    if (const std::string_view rest = text_.substr(at_);
        rest.starts_with("\xE2\x80\x90") || rest.starts_with("\xE2\x80\x91")) {
      connector = '-';  // U+2010 hyphen, U+2011 non-breaking hyphen
      *length = 3;
    }
    if (std::string_view("-_./:,").find(connector) == std::string_view::npos) return 0;
    if (at_ + *length >= text_.size()) return 0;
    const auto next = utf8::Decode(text_, at_ + *length);
    if (!next.valid || ClassOf(next.value) != CharClass::kWord) return 0;
    const bool between_digits = at_ > 0 && IsDigit(text_[at_ - 1]) && next.value < 0x80 &&
                                IsDigit(static_cast<char>(next.value));
    return connector == ',' && !between_digits ? '\0' : connector;
  }

  void Compound() {
    parts_.clear();
    while (true) {
      parts_.push_back(Word());
      size_t length = 0;
      const char connector = at_ < text_.size() ? Connector(&length) : '\0';
      if (connector == 0) break;
      parts_.back().connector = connector;
      at_ += length;
    }
    std::string whole = parts_.size() > 1 ? WholeForm() : std::string();
    for (size_t i = 0; i < parts_.size(); ++i) {
      Emit(StemEnglish(parts_[i].folded), parts_[i].begin, parts_[i].end, false);
      if (i == 0 && !whole.empty()) {
        Emit(std::move(whole), parts_.front().begin, parts_.back().end, true);
      }
    }
  }

  // One spelling for an identifier, however it is joined: "E-204" is e204 and "RX-2000/B" is
  // rx2000b, but "10.0.0.1", "foo_bar" and "10-20" keep their connectors. Empty for plain
  // hyphenated words.
  [[nodiscard]] std::string WholeForm() const {
    if (parts_.size() > kMaxCompoundParts) return {};
    bool digits = false;
    bool letters = false;
    bool underscore = false;
    for (const Part& part : parts_) {
      underscore |= part.connector == '_';
      for (const char c : part.folded) (IsDigit(c) ? digits : letters) = true;
    }
    if (!digits && !underscore) return {};
    std::string whole;
    for (const Part& part : parts_) {
      whole += part.folded;
      const bool drop = part.connector == ',' ||
                        (digits && letters &&
                         std::string_view("-/_").find(part.connector) != std::string_view::npos);
      if (part.connector != 0 && !drop) whole.push_back(part.connector);
    }
    return whole;
  }

  struct Character {
    char32_t value;
    size_t begin;
    size_t end;
  };

  void ReadUnspaced(CharClass char_class) {
    characters_.clear();
    while (at_ < text_.size()) {
      const auto [code_point, length, valid] = utf8::Decode(text_, at_);
      if (!valid) break;
      const CharClass next = ClassOf(code_point);
      if (next != char_class && next != CharClass::kIgnorable) break;
      if (next == char_class) {
        const char32_t folded = FoldCjk(code_point);
        const char32_t composed =
            characters_.empty() ? 0 : Compose(characters_.back().value, folded);
        if (composed != 0) {
          characters_.back() = {composed, characters_.back().begin, at_ + length};
        } else {
          characters_.push_back({folded, at_, at_ + length});
        }
      }
      at_ += length;
    }
  }

  [[nodiscard]] std::string Join(size_t first, size_t count) const {
    std::string term;
    for (size_t i = first; i < first + count; ++i) utf8::Append(characters_[i].value, term);
    return term;
  }

  void Unspaced(CharClass char_class) {
    ReadUnspaced(char_class);
    const size_t count = characters_.size();
    for (size_t i = 0; i < count && tokens_.size() < max_tokens_; ++i) {
      const size_t begin = characters_[i].begin;
      Emit(Join(i, 1), begin, characters_[i].end, false);
      if (i + 1 < count) Emit(Join(i, 2), begin, characters_[i + 1].end, true);
      if (i == 0 && count > 2 && count <= kMaxWholeRun) {
        Emit(Join(0, count), begin, characters_.back().end, true);
      }
    }
  }

  std::string_view text_;
  size_t max_tokens_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  std::vector<Part> parts_;
  std::vector<Character> characters_;
};

}  // namespace

std::vector<Token> Tokenize(std::string_view text, TokenizeFor purpose) {
  text = text.substr(0, std::numeric_limits<uint32_t>::max());
  if (purpose == TokenizeFor::kIndex) return Run(text, purpose).Take();
  std::vector<Token> tokens = Run(text.substr(0, kMaxQueryBytes), purpose).Take();
  const auto is_stop_word = [](const Token& token) { return IsStopWord(token.term); };
  if (!std::all_of(tokens.begin(), tokens.end(), is_stop_word)) std::erase_if(tokens, is_stop_word);
  return tokens;
}

}  // namespace vade::vectorstore
