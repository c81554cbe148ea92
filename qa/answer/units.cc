// Recovers blocks from the layout ingest gives to stored text (ingest/document.h, BlockKind).
#include "qa/answer/units.h"

#include <algorithm>
#include <array>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

constexpr std::string_view kBlockBreak = "\n\n";
constexpr std::string_view kCellBreak = " | ";
// A hostile document may be one block of megabytes; more than this of it is not looked at.
constexpr uint64_t kMaxBlockBytes = 64 << 10;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char c) { return IsUpper(c) || (c >= 'a' && c <= 'z'); }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

Span TrimSpan(std::string_view text, Span span) {
  while (span.begin < span.end && IsSpace(text[span.begin])) ++span.begin;
  while (span.begin < span.end && IsSpace(text[span.end - 1])) --span.end;
  return span;
}

std::string_view Slice(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

std::vector<Span> Lines(std::string_view text, Span block) {
  std::vector<Span> lines;
  for (uint64_t at = block.begin; at < block.end;) {
    const uint64_t stop = std::min<uint64_t>(text.find('\n', at), block.end);
    if (!Trim(Slice(text, {at, stop})).empty()) lines.push_back({at, stop});
    at = stop + 1;
  }
  return lines;
}

/// The block that contains byte `at` (or begins after the break at `at`).
Span BlockAt(std::string_view text, uint64_t at) {
  const size_t before = at == 0 ? std::string_view::npos : text.rfind(kBlockBreak, at - 1);
  const uint64_t begin = before == std::string_view::npos ? 0 : before + kBlockBreak.size();
  const uint64_t end = std::min<uint64_t>(text.find(kBlockBreak, std::max(begin, at)), text.size());
  return {begin, end};
}

/// List items: a line without a marker continues the item before it.
std::vector<Span> Items(std::string_view text, const std::vector<Span>& lines) {
  std::vector<Span> items;
  for (const Span& line : lines) {
    if (items.empty() || ItemNumber(Slice(text, line)) >= 0) {
      items.push_back(TrimSpan(text, line));
    } else {
      items.back().end = TrimSpan(text, line).end;
    }
  }
  return items;
}

/// A known heading of the section, or a short line that ends like none of the sentences around it:
/// a sub-heading inside merged chunks. "Weight: 9 kg" says something and is none.
bool IsHeadingLine(std::string_view line, const std::vector<std::string>& headings) {
  constexpr size_t kMaxHeadingBytes = 90;
  constexpr std::string_view kSentenceEnds = ".!?:;,)\"";
  line = Trim(line);
  const auto is_line = [&](const std::string& heading) { return Trim(heading) == line; };
  if (std::any_of(headings.begin(), headings.end(), is_line)) return true;
  const bool wide_end = line.ends_with("。") || line.ends_with("？") || line.ends_with("！");
  return line.size() <= kMaxHeadingBytes && !line.empty() && !wide_end &&
         kSentenceEnds.find(line.back()) == std::string_view::npos &&
         line.find(": ") == std::string_view::npos &&
         line.find(kCellBreak) == std::string_view::npos && ItemNumber(line) < 0;
}

TextBlock ReadBlock(std::string_view text, Span span, const std::vector<std::string>& headings) {
  TextBlock block;
  block.span = span;
  const std::vector<Span> lines = Lines(text, span);
  const auto is_row = [&](Span line) {
    return Slice(text, line).find(kCellBreak) != std::string_view::npos;
  };
  if (lines.size() == 1 && IsHeadingLine(Slice(text, lines[0]), headings)) {
    block.form = BlockForm::kHeading;
    block.parts = lines;
  } else if (!lines.empty() && ItemNumber(Slice(text, lines[0])) >= 0) {
    block.form = BlockForm::kList;
    block.parts = Items(text, lines);
    block.numbered = ItemNumber(Slice(text, lines[0])) > 0;
  } else if (!lines.empty() && std::all_of(lines.begin(), lines.end(), is_row)) {
    block.form = BlockForm::kTable;
    for (const Span& line : lines) block.parts.push_back(TrimSpan(text, line));
  } else {
    for (const Span& line : lines) {
      const std::vector<Span> sentences = SplitSentences(text, line);
      block.parts.insert(block.parts.end(), sentences.begin(), sentences.end());
    }
  }
  return block;
}

bool EndsWithAbbreviation(std::string_view text) {
  static constexpr std::array<std::string_view, 18> kAbbreviations = {
      "e.g.", "i.e.", "etc.", "cf.", "vs.",     "No.",  "no.",  "Fig.", "fig.",
      "Dr.",  "Mr.",  "Ms.",  "St.", "approx.", "max.", "min.", "pp.",  "Vol."};
  for (const std::string_view abbreviation : kAbbreviations) {
    if (!text.ends_with(abbreviation)) continue;
    const size_t before = text.size() - abbreviation.size();
    if (before == 0 || !IsLetter(text[before - 1])) return true;
  }
  // An initial: "J. Smith".
  return text.size() >= 2 && IsUpper(text[text.size() - 2]) &&
         (text.size() == 2 || IsSpace(text[text.size() - 3]));
}

/// May a sentence begin at `at`? Not with a lower-case letter or a comma.
bool CanBegin(std::string_view text, uint64_t at) {
  const char c = text[at];
  return !(c >= 'a' && c <= 'z') && c != ',' && c != ';';
}

}  // namespace

int ItemNumber(std::string_view line) {
  line = Trim(line);
  for (const std::string_view bullet : {"- ", "* ", "+ ", "• ", "– ", "· ", "▪ ", "○ ", "☐ "}) {
    if (line.starts_with(bullet)) return 0;
  }
  size_t digits = 0;
  int number = 0;
  while (digits < line.size() && digits < 3 && IsDigit(line[digits])) {
    number = number * 10 + (line[digits] - '0');
    ++digits;
  }
  const size_t marker = digits > 0 ? digits : (!line.empty() && IsLetter(line[0]) ? 1 : 0);
  if (marker == 0 || marker + 1 >= line.size()) return -1;
  if ((line[marker] != '.' && line[marker] != ')') || line[marker + 1] != ' ') return -1;
  return digits > 0 ? number : 0;
}

std::vector<Span> SplitSentences(std::string_view text, Span range) {
  std::vector<Span> sentences;
  uint64_t begin = range.begin;
  for (uint64_t at = range.begin; at < range.end;) {
    const utf8::CodePoint point = utf8::Decode(text, at);
    at += point.length;
    const bool wide_stop = point.value == 0x3002 || point.value == 0xFF01 || point.value == 0xFF1F;
    if (point.value != '.' && point.value != '!' && point.value != '?' && !wide_stop) continue;
    uint64_t stop = at;
    while (stop < range.end && (text[stop] == '"' || text[stop] == '\'' || text[stop] == ')' ||
                                text[stop] == ']' || text[stop] == '.')) {
      ++stop;
    }
    uint64_t next = stop;
    while (next < range.end && IsSpace(text[next])) ++next;
    if (next == stop && next < range.end && !wide_stop) continue;
    if (next < range.end && !CanBegin(text, next)) continue;
    if (point.value == '.' && EndsWithAbbreviation(Slice(text, {begin, at}))) continue;
    sentences.push_back(TrimSpan(text, {begin, stop}));
    begin = at = next;
  }
  const Span rest = TrimSpan(text, {begin, range.end});
  if (rest.begin < rest.end) sentences.push_back(rest);
  return sentences;
}

std::vector<TextBlock> BlocksAround(std::string_view text, Span range,
                                    const std::vector<std::string>& headings) {
  range.end = std::min<uint64_t>(range.end, text.size());
  range.begin = std::min(range.begin, range.end);
  std::vector<TextBlock> blocks;
  const auto add = [&](Span span) {
    if (span.end - span.begin > kMaxBlockBytes) {  // keep the part that was found
      span.begin = std::max(span.begin, range.begin);
      span.end = utf8::FloorBoundary(text, std::min(span.end, span.begin + kMaxBlockBytes));
    }
    TextBlock block = ReadBlock(text, span, headings);
    if (!block.parts.empty()) blocks.push_back(std::move(block));
  };
  Span first = BlockAt(text, range.begin);
  if (first.begin >= kBlockBreak.size()) {
    const Span before = BlockAt(text, first.begin - kBlockBreak.size());
    if (Trim(Slice(text, before)).ends_with(':')) add(before);
  }
  for (Span span = first; span.begin < range.end;) {
    add(span);
    if (span.end + kBlockBreak.size() >= text.size()) break;
    span = BlockAt(text, span.end + kBlockBreak.size());
  }
  return blocks;
}

std::vector<std::string_view> SplitCells(std::string_view row) {
  std::vector<std::string_view> cells;
  for (;;) {
    const size_t at = row.find(kCellBreak);
    cells.push_back(Trim(row.substr(0, at)));
    if (at == std::string_view::npos) return cells;
    row.remove_prefix(at + kCellBreak.size());
  }
}

std::vector<std::string> SplitHeadingPath(std::string_view heading_path) {
  constexpr std::string_view kArrow = " > ";
  std::vector<std::string> headings;
  while (!heading_path.empty()) {
    const size_t at = heading_path.find(kArrow);
    headings.emplace_back(Trim(heading_path.substr(0, at)));
    if (at == std::string_view::npos) break;
    heading_path.remove_prefix(at + kArrow.size());
  }
  return headings;
}

}  // namespace vade::qa
