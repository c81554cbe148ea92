// Matching. Every branch that fails has looked only at characters that a later branch or the next
// step consumes, so that the whole is linear; \s+$ alone would not be and has a rule of its own.
#include "engine/tokenizer/pre_tokenizer.h"

#include "engine/base/utf8.h"

namespace vade::tokenizer {
namespace {

using Kind = Branch::Kind;
using Tail = Branch::Tail;

// A text by code points: their features and where they begin.
struct Chars {
  std::string_view text;
  std::vector<uint32_t> features;  // [num_chars]
  std::vector<size_t> begins;      // [num_chars + 1] byte offsets
};

Chars Scan(std::string_view text, uint32_t wanted) {
  Chars out{text, {}, {}};
  out.features.reserve(text.size());
  out.begins.reserve(text.size() + 1);
  for (size_t at = 0; at < text.size();) {
    out.begins.push_back(at);
    const auto byte = static_cast<uint8_t>(text[at]);
    const utf8::CodePoint c = byte < 0x80 ? utf8::CodePoint{byte, 1, true} : utf8::Decode(text, at);
    out.features.push_back(FeaturesOf(c.value, wanted));
    at += c.length;
  }
  out.begins.push_back(text.size());
  return out;
}

// Matches at a place inside one piece, which ends at `end`: nothing looks beyond it.
class Matcher {
 public:
  Matcher(const Chars& chars, size_t end) : chars_(chars), end_(end) {}

  /// The end of the match at `at`, or `at`. No expression matches nothing.
  [[nodiscard]] size_t Match(std::span<const Branch> branches, size_t at) const {
    for (const Branch& branch : branches) {
      const size_t matched = branch.kind == Kind::kParts
                                 ? MatchParts(branch, 0, at)
                                 : at + Contraction(at, branch.kind == Kind::kAnyCaseContraction);
      if (matched != kFailed && matched > at) return matched;
    }
    return at;
  }

 private:
  static constexpr size_t kFailed = SIZE_MAX;

  [[nodiscard]] bool IsIn(const CharSet& set, size_t at) const {
    const uint32_t features = chars_.features[at];
    return (features & set.any) != 0 && (features & set.none) == 0;
  }

  [[nodiscard]] size_t MatchParts(const Branch& branch, size_t part_idx, size_t at) const {
    if (part_idx == branch.num_parts) return MatchTail(branch.tail, at);
    const Repeat& part = branch.parts[part_idx];
    const size_t limit = end_ - at < part.max ? end_ : at + part.max;
    size_t stop = at;
    while (stop < limit && IsIn(part.set, stop)) ++stop;
    for (; stop >= at + part.min; --stop) {
      const size_t matched = MatchParts(branch, part_idx + 1, stop);
      if (matched != kFailed) return matched;
      if (stop == at) break;
    }
    return kFailed;
  }

  [[nodiscard]] size_t MatchTail(Tail tail, size_t at) const {
    if (tail == Tail::kMaybeContraction) return at + Contraction(at, true);
    if (tail == Tail::kNotBeforeText && at < end_ && !IsIn({kWhiteSpace}, at)) return kFailed;
    return at;
  }

  // Length of 's 't 'm 'd 're 've 'll at `at`, or 0.
  [[nodiscard]] size_t Contraction(size_t at, bool any_case) const {
    const auto letter = [&](size_t i) -> char {
      if (i >= end_) return 0;
      const char c = chars_.text[chars_.begins[i]];
      return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    if (letter(at) != '\'') return 0;
    const char first = letter(at + 1);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    const char second = letter(at + 2);
    const bool two =
        ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
    return two ? 3 : 0;
  }

  const Chars& chars_;
  size_t end_;
};

// Appends the ends of the pieces of [begin, end), in characters.
void Search(const Chars& chars, std::span<const Branch> branches, size_t begin, size_t end,
            std::vector<size_t>& out) {
  const Matcher matcher(chars, end);
  size_t between = begin;  // start of what no branch has matched
  for (size_t at = begin; at < end;) {
    const size_t matched = matcher.Match(branches, at);
    if (matched == at) {
      ++at;
      continue;
    }
    if (between < at) out.push_back(at);
    out.push_back(matched);
    at = between = matched;
  }
  if (between < end) out.push_back(end);
}

void SplitTrailingSpace(const Chars& chars, size_t begin, size_t end, std::vector<size_t>& out) {
  size_t space = end;
  while (space > begin && (chars.features[space - 1] & kWhiteSpace) != 0) --space;
  if (space > begin) out.push_back(space);
  if (space < end) out.push_back(end);
}

uint32_t WantedFeatures(std::span<const SplitRule> rules) {
  uint32_t wanted = 0;
  for (const SplitRule& rule : rules) {
    for (const Branch& branch : rule.branches) {
      for (const Repeat& part : branch.parts) wanted |= part.set.any | part.set.none;
    }
  }
  return wanted;
}

}  // namespace

std::vector<size_t> PreTokenizer::Split(std::string_view text) const {
  if (text.empty()) return {};
  const Chars chars = Scan(text, WantedFeatures(rules));
  std::vector<size_t> ends = {chars.features.size()};
  std::vector<size_t> next;
  for (const SplitRule& rule : rules) {
    next.clear();
    size_t begin = 0;
    for (const size_t end : ends) {
      if (rule.kind == SplitRule::Kind::kTrailingSpace) {
        SplitTrailingSpace(chars, begin, end, next);
      } else {
        Search(chars, rule.branches, begin, end, next);
      }
      begin = end;
    }
    ends.swap(next);
  }
  for (size_t& end : ends) end = chars.begins[end];
  return ends;
}

}  // namespace vade::tokenizer
