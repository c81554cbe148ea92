#include "qa/answer/grounding.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>

#include "retriever/query.h"

namespace vade::qa {
namespace {

// Of a sentence's content words this share must stand in what it cites (and its headings).
constexpr double kMinCovered = 0.6;
// A sentence longer than this is taken as it is: a model that writes no full stop must not make the
// search for one quadratic.
constexpr size_t kMaxSentenceBytes = 4096;

constexpr size_t kMaxMarkBytes = 32;  // "[1, 2, 3]"

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Length of a mark "[12]" or "[1, 2]" at the beginning of `text` and its numbers; 0 for none.
size_t ReadMark(std::string_view text, std::vector<size_t>& numbers) {
  if (text.empty() || text[0] != '[') return 0;
  std::vector<size_t> found;
  size_t number = 0;
  bool digits = false;
  for (size_t i = 1; i < text.size() && i < kMaxMarkBytes; ++i) {
    const char c = text[i];
    if (IsDigit(c)) {
      number = std::min<size_t>(number * 10 + static_cast<size_t>(c - '0'), 1'000'000);
      digits = true;
    } else if ((c == ',' || c == ']') && digits) {
      found.push_back(std::exchange(number, 0));
      digits = false;
      if (c == ']') {
        numbers.insert(numbers.end(), found.begin(), found.end());
        return i + 1;
      }
    } else if (!IsSpace(c)) {
      return 0;
    }
  }
  return 0;
}

/// Bytes of blanks and marks at the beginning, up to the last mark.
size_t LeadingMarks(std::string_view text) {
  std::vector<size_t> ignored;
  for (size_t at = 0;;) {
    size_t space = at;
    while (space < text.size() && IsSpace(text[space]) && text[space] != '\n') ++space;
    const size_t length = ReadMark(text.substr(space), ignored);
    if (length == 0) return at;
    at = space + length;
  }
}

/// "3. " or "- " at the beginning of a line.
size_t MarkerLength(std::string_view line) {
  if (ItemNumber(line) < 0) return 0;
  const size_t space = line.find(' ');
  return space == std::string_view::npos ? 0 : space + 1;
}

/// End of the first sentence in one line of text, its marks not counted: "so.[1] Then" has two.
size_t FirstSentence(std::string_view line, size_t begin) {
  const std::vector<Span> sentences = SplitSentences(line, {begin, line.size()});
  const size_t end = sentences.empty() ? line.size() : sentences[0].end;
  std::vector<size_t> ignored;
  for (size_t at = begin; at + 1 < end; ++at) {
    const bool stop = line[at] == '.' || line[at] == '!' || line[at] == '?';
    if (stop && ReadMark(line.substr(at + 1), ignored) > 0) return at + 1;
  }
  return end;
}

/// Where the first sentence of `text` with its marks ends, if that is certain by now.
std::optional<size_t> SentenceEnd(std::string_view text, bool all) {
  size_t begin = 0;
  while (begin < text.size() && IsSpace(text[begin])) ++begin;
  if (begin == text.size()) return std::nullopt;
  const size_t line = std::min(text.find('\n', begin), text.size());
  const std::string_view head = text.substr(0, std::min(line, kMaxSentenceBytes));
  const bool complete = all || head.size() < text.size();  // nothing more can come to this line
  begin += MarkerLength(head.substr(std::min(begin, head.size())));
  const size_t end = begin < head.size() ? FirstSentence(head, begin) : head.size();
  const size_t after = end + LeadingMarks(head.substr(end));
  std::string_view rest = head.substr(after);
  while (!rest.empty() && IsSpace(rest.front())) rest.remove_prefix(1);
  const bool more_marks = rest.empty() || (rest.front() == '[' && rest.size() < kMaxMarkBytes);
  if (!more_marks) return after;
  return complete ? std::optional(rest.empty() ? head.size() : after) : std::nullopt;
}

/// The sentence without its marks, whose numbers go to `numbers`.
std::string WithoutMarks(std::string_view text, std::vector<size_t>& numbers) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    if (const size_t length = ReadMark(text.substr(at), numbers); length > 0) {
      at += length;
      while (!plain.empty() && IsSpace(plain.back())) plain.pop_back();
    } else {
      plain.push_back(text[at++]);
    }
  }
  while (!plain.empty() && IsSpace(plain.back())) plain.pop_back();
  return plain;
}

/// The numbers of a text: "1.5", "2024", "1,000" as "1000". A marker "3." of a list is none.
std::vector<std::string> NumbersOf(std::string_view text) {
  std::vector<std::string> numbers;
  for (size_t at = 0; at < text.size();) {
    if (!IsDigit(text[at])) {
      ++at;
      continue;
    }
    std::string number;
    for (; at < text.size(); ++at) {
      const bool inside = at + 1 < text.size() && IsDigit(text[at + 1]);
      if (IsDigit(text[at]) || (text[at] == '.' && inside)) {
        number.push_back(text[at]);
      } else if (text[at] != ',' || !inside) {
        break;
      }
    }
    numbers.push_back(std::move(number));
  }
  return numbers;
}

bool HoldsAll(const std::vector<std::string>& wanted, const std::vector<std::string>& have) {
  const std::unordered_set<std::string> set(have.begin(), have.end());
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& each) { return set.contains(each); });
}

/// Says that something is not so, or must not be done.
bool Negates(std::string_view text) {
  static constexpr std::array<std::string_view, 16> kWords = {
      " not ", "n't ", " never ", " no ", " without ", " cannot ", "지 마", "지마",
      "지 않", "않는", "않습",    "못하", "없습",      "없는",     "금지",  " avoid "};
  std::string padded = " ";
  for (const char c : text) {
    padded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  padded.push_back(' ');
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return padded.find(word) != std::string::npos; });
}

double Covered(const Question& claim, const TermIndex& index) {
  if (claim.terms.empty()) return 0;
  const auto found = std::count_if(claim.terms.begin(), claim.terms.end(),
                                   [&](const Term& term) { return index.Contains(term); });
  return static_cast<double>(found) / static_cast<double>(claim.terms.size());
}

}  // namespace

std::string_view SupportName(Support support) {
  switch (support) {
    case Support::kQuoted:
      return "quoted";
    case Support::kSupported:
      return "supported";
    case Support::kNone:
      break;
  }
  return "none";
}

Grounder::Grounder(const vectorstore::Store& store, const std::vector<retriever::Passage>& passages,
                   const std::vector<Section>& sections, std::vector<size_t> shown)
    : store_(store),
      passages_(passages),
      sections_(sections),
      shown_(std::move(shown)),
      parts_(passages.size()) {
  for (size_t s = 0; s < sections.size(); ++s) {
    std::string heading;
    for (const TextBlock& block : sections[s].blocks) {
      if (block.form == BlockForm::kHeading) {
        heading = FoldSpace(sections[s].Text(block.span));
        continue;
      }
      for (const Span& part : block.parts) {
        parts_[sections[s].passage].push_back({s, part, heading});
      }
    }
  }
}

Result<std::vector<GroundedSentence>> Grounder::Append(std::string_view text) {
  pending_ += text;
  return Take(false);
}

Result<std::vector<GroundedSentence>> Grounder::Finish() { return Take(true); }

Result<std::vector<GroundedSentence>> Grounder::Take(bool all) {
  std::vector<GroundedSentence> sentences;
  while (const auto end = SentenceEnd(pending_, all)) {
    VADE_TRY(GroundedSentence sentence, Ground(std::string_view(pending_).substr(0, *end)));
    pending_.erase(0, *end);
    if (!sentence.text.empty()) sentences.push_back(std::move(sentence));
  }
  return sentences;
}

Result<GroundedSentence> Grounder::Ground(std::string_view raw) {
  GroundedSentence sentence;
  size_t begin = 0;
  while (begin < raw.size() && IsSpace(raw[begin])) ++begin;
  begin += MarkerLength(raw.substr(begin));
  sentence.before = std::string(raw.substr(0, begin));
  std::vector<size_t> numbers;
  sentence.text = WithoutMarks(raw.substr(begin), numbers);
  if (sentence.text.empty()) return sentence;
  std::vector<size_t> cited;
  for (const size_t number : numbers) {
    if (number >= 1 && number <= shown_.size()) cited.push_back(shown_[number - 1]);
  }
  VADE_CHECK_OK(Prove(ReadQuestion(sentence.text), cited, sentence));
  return sentence;
}

Result<void> Grounder::Prove(const Question& claim, const std::vector<size_t>& cited,
                             GroundedSentence& sentence) {
  const auto try_passage = [&](size_t passage) -> Result<bool> {
    Support support = Support::kNone;
    const Part* part = Best(claim, passage, support);
    if (part == nullptr) return false;
    VADE_TRY(const size_t number, Cite(*part));
    if (number == 0) return false;
    if (std::find(sentence.citations.begin(), sentence.citations.end(), number) ==
        sentence.citations.end()) {
      sentence.citations.push_back(number);
    }
    if (sentence.support != Support::kQuoted) sentence.support = support;
    return true;
  };
  for (const size_t passage : cited) {
    VADE_TRY(const bool unused, try_passage(passage));
    static_cast<void>(unused);
  }
  for (const size_t passage : shown_) {
    if (sentence.support != Support::kNone) break;
    VADE_TRY(const bool found, try_passage(passage));
    sentence.moved = found && !cited.empty();
  }
  return {};
}

const Grounder::Part* Grounder::Best(const Question& claim, size_t passage,
                                     Support& support) const {
  const std::vector<std::string> numbers = NumbersOf(claim.text);
  const std::string quote = FoldForQuote(claim.text);
  const Part* best = nullptr;
  double best_covered = kMinCovered;
  for (const Part& part : parts_[passage]) {
    const Section& section = sections_[part.section];
    const std::string text(section.Text(part.span));
    if (!claim.terms.empty() && FoldForQuote(text).find(quote) != std::string::npos) {
      support = Support::kQuoted;
      return &part;
    }
    std::string setting = text + "\n" + part.heading + "\n" + passages_[passage].context;
    for (const std::string& heading : section.headings) setting += "\n" + heading;
    const double covered = Covered(claim, TermIndex(setting));
    if (covered < best_covered || (best != nullptr && covered == best_covered)) continue;
    if (!HoldsAll(numbers, NumbersOf(setting)) || Negates(claim.text) != Negates(text) ||
        !HoldsAll(claim.identifiers, retriever::IdentifierKeys(setting))) {
      continue;
    }
    best = &part;
    best_covered = covered;
    support = Support::kSupported;
  }
  return best;
}

/// The number of the citation of this part, 0 if it no longer stands in the store.
Result<size_t> Grounder::Cite(const Part& part) {
  const Section& section = sections_[part.section];
  const retriever::Passage& passage = passages_[section.passage];
  for (const Citation& known : citations_) {
    if (known.document == passage.document && known.begin == part.span.begin &&
        known.end == part.span.end) {
      return known.number;
    }
  }
  Citation citation;
  citation.document = passage.document;
  citation.path = passage.path;
  citation.title = passage.title;
  citation.heading_path = passage.heading_path;
  citation.begin = part.span.begin;
  citation.end = part.span.end;
  citation.quote = std::string(section.Text(part.span));
  const Result<void> verified = VerifyCitation(store_, citation);
  if (!verified && verified.error().code != ErrorCode::kNotFound) {
    return tl::unexpected<Error>(verified.error());
  }
  if (citation.match == QuoteMatch::kAbsent) return 0;
  citation.number = citations_.size() + 1;
  citations_.push_back(std::move(citation));
  return citations_.back().number;
}

}  // namespace vade::qa
