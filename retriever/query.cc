// Identifier scanner and question shortening.
#include "retriever/query.h"

#include <algorithm>
#include <utility>

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

/// Reads one run of letters, digits and single joiners, and judges by its make-up.
class Run {
 public:
  bool empty() const { return identifier_.key.empty(); }
  bool awaits_more() const { return joiner_ != 0; }

  void AddJoiner(char32_t c) { joiner_ = c; }

  void AddSolid(char32_t c, size_t at) {
    if (empty()) identifier_.begin = at;
    CommitJoiner();
    const bool digit = IsDigit(c);
    if (digit && letters_ > 0) digit_after_letter_ = true;
    if (digit && empty()) begins_with_digit_ = true;
    if (digit && !last_was_digit_) ++digit_groups_;
    last_was_digit_ = digit;
    digits_ += digit ? 1 : 0;
    letters_ += digit ? 0 : 1;
    identifier_.key += static_cast<char>(IsUpper(c) ? c - 'A' + 'a' : c);
    identifier_.end = at + 1;
  }

  /// A quantity begins with digits ("5GHz", "24-hour", "2nd"), an identifier with a letter, or its
  /// dashes or its many digits show that somebody numbered a part.
  bool IsIdentifier() const {
    if (empty() || slashes_ > 0) return false;
    if (underscores_ > 0) return letters_ > 0;
    if (digits_ == 0) return false;
    if (letters_ > 0 && !begins_with_digit_) return true;
    if (dashes_ == 0 || dots_ > 0) return false;
    if (letters_ > 0) return digits_ >= 3 && (dashes_ > 1 || digit_after_letter_);
    const bool year_range = digits_ == 8 && dashes_ == 1;
    const bool date = digit_groups_ == 3 && digits_ <= 8;
    return digits_ >= 5 && !year_range && !date;
  }

  Identifier Take() { return std::move(identifier_); }

 private:
  void CommitJoiner() {  // a joiner counts only once something follows it
    dashes_ += IsDash(joiner_) ? 1 : 0;
    underscores_ += joiner_ == '_' ? 1 : 0;
    dots_ += joiner_ == '.' ? 1 : 0;
    slashes_ += joiner_ == '/' ? 1 : 0;
    if (joiner_ == '.' || joiner_ == '/') identifier_.key += static_cast<char>(joiner_);
    if (joiner_ != 0) last_was_digit_ = false;
    joiner_ = 0;
  }

  Identifier identifier_;
  char32_t joiner_ = 0;
  size_t letters_ = 0, digits_ = 0, digit_groups_ = 0;
  size_t dashes_ = 0, underscores_ = 0, dots_ = 0, slashes_ = 0;
  bool begins_with_digit_ = false;
  bool digit_after_letter_ = false;
  bool last_was_digit_ = false;
};

}  // namespace

std::vector<Identifier> FindIdentifiers(std::string_view text) {
  std::vector<Identifier> found;
  Run run;
  const auto finish = [&] {
    if (run.IsIdentifier()) found.push_back(run.Take());
    run = {};
  };
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::Decode(text, at);
    const char32_t c = point.valid ? point.value : U' ';
    if (IsDigit(c) || IsLetter(c)) {
      run.AddSolid(c, at);
    } else if (IsJoiner(c) && !run.empty() && !run.awaits_more()) {
      run.AddJoiner(c);
    } else if (!run.empty()) {
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
