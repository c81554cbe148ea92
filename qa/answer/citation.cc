// Folding with ICU, then a plain search; a sliding window of words for the near misses.
#include "qa/answer/citation.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace vade::qa {
namespace {

// Below this many words a fuzzy match proves nothing.
constexpr size_t kMinFuzzyWords = 8;
constexpr double kMinFuzzyShare = 0.9;

std::vector<std::string_view> Words(std::string_view folded) {
  std::vector<std::string_view> words;
  while (!folded.empty()) {
    const size_t space = folded.find(' ');
    if (space > 0) words.push_back(folded.substr(0, space));
    if (space == std::string_view::npos) break;
    folded.remove_prefix(space + 1);
  }
  return words;
}

/// The most words (as a multiset) any window of the quote's length shares with it.
size_t BestWindow(const std::vector<std::string_view>& quote,
                  const std::vector<std::string_view>& text) {
  std::unordered_map<std::string_view, long> missing;
  for (const std::string_view word : quote) ++missing[word];
  size_t shared = 0;
  size_t best = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (const auto word = missing.find(text[i]); word != missing.end() && word->second-- > 0) {
      ++shared;
    }
    if (i >= quote.size()) {
      const auto left = missing.find(text[i - quote.size()]);
      if (left != missing.end() && ++left->second > 0) --shared;
    }
    best = std::max(best, shared);
  }
  return best;
}

/// Pages that share bytes with [begin, end).
std::pair<size_t, size_t> PagesOf(const std::vector<vectorstore::PageRecord>& pages,
                                  const Citation& citation) {
  size_t first = pages.size();
  size_t last = pages.size();
  for (size_t i = 0; i < pages.size(); ++i) {
    if (pages[i].end <= citation.begin || pages[i].begin >= citation.end) continue;
    if (first == pages.size()) first = i;
    last = i;
  }
  return {first, last};
}

}  // namespace

std::string_view MatchName(QuoteMatch match) {
  switch (match) {
    case QuoteMatch::kExact:
      return "exact";
    case QuoteMatch::kFuzzy:
      return "fuzzy";
    case QuoteMatch::kAbsent:
      break;
  }
  return "absent";
}

std::string FoldForQuote(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCInstance(status);
  const auto source =
      icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  icu::UnicodeString normalised =
      U_SUCCESS(status) ? nfkc->normalize(source, status) : icu::UnicodeString();
  if (U_FAILURE(status)) normalised = source;
  std::string utf8;
  normalised.toUTF8String(utf8);
  std::string folded;
  for (const char c : utf8) {  // NFKC has already made a plain space of every special one
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space) {
      folded += c;
    } else if (!folded.empty() && folded.back() != ' ') {
      folded += ' ';
    }
  }
  if (!folded.empty() && folded.back() == ' ') folded.pop_back();
  return folded;
}

QuoteMatch FindQuote(std::string_view quote, std::string_view text) {
  const std::string folded_quote = FoldForQuote(quote);
  const std::string folded_text = FoldForQuote(text);
  if (folded_quote.empty()) return QuoteMatch::kAbsent;
  if (folded_text.find(folded_quote) != std::string::npos) return QuoteMatch::kExact;
  const std::vector<std::string_view> quote_words = Words(folded_quote);
  if (quote_words.size() < kMinFuzzyWords) return QuoteMatch::kAbsent;
  const size_t best = BestWindow(quote_words, Words(folded_text));
  return static_cast<double>(best) >= kMinFuzzyShare * static_cast<double>(quote_words.size())
             ? QuoteMatch::kFuzzy
             : QuoteMatch::kAbsent;
}

Result<void> VerifyCitation(const vectorstore::Store& store, Citation& citation) {
  VADE_TRY(const std::string text, store.GetText(citation.document));
  VADE_TRY(const std::vector<vectorstore::PageRecord> pages, store.GetPages(citation.document));
  citation.match = QuoteMatch::kAbsent;
  citation.page.clear();
  citation.page_number = 0;
  if (pages.empty()) {
    citation.match = FindQuote(citation.quote, text);
    return {};
  }
  const auto [first, last] = PagesOf(pages, citation);
  if (first == pages.size()) return {};
  citation.page_number = pages[first].number;
  citation.page = pages[first].label;
  if (last != first) citation.page += "-" + pages[last].label;
  const uint64_t begin = std::min<uint64_t>(pages[first].begin, text.size());
  const uint64_t end = std::min<uint64_t>(std::max(pages[last].end, begin), text.size());
  citation.match = FindQuote(citation.quote, std::string_view(text).substr(begin, end - begin));
  return {};
}

}  // namespace vade::qa
