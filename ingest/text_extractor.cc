// Plain text -> Document: structure is recovered from blank lines, indents, underlines and numbers.
// The text is read in regions (runs of lines without a blank one), each judged on its own and by
// what came before it.
#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ingest/document_builder.h"
#include "ingest/extractor.h"
#include "ingest/text_input.h"
#include "ingest/text_lines.h"
#include "ingest/text_running.h"
#include "ingest/text_table.h"

namespace vade::ingest {
namespace {

using Lines = std::span<const TextLine>;

// Longer runs of lines are judged in parts, so that memory stays flat.
constexpr size_t kMaxRegionLines = 4096;
// Lines beyond this were never wrapped by anyone: each is a paragraph.
constexpr size_t kUnwrappedWidth = 160;

class TextReader {
 public:
  TextReader(std::string_view text, uint64_t max_text_bytes)
      : text_(text), running_(text), builder_("text", max_text_bytes) {}

  Result<Document> Read(std::string_view fallback_title);

 private:
  void AddRegion(Lines whole);
  void EndList() {
    builder_.EndList();
    list_indents_.clear();
  }
  size_t AddLeadingHeadings(Lines region);
  size_t AddHeading(Lines rest, bool first);
  size_t AddFence(Lines region);
  void AddBody(Lines body);
  void AddList(Lines items);
  void AddListItem(const TextLine& line, const ListMarker& marker);
  void AddParagraphs(Lines lines);
  void AddCode(Lines lines);
  void StartPage() { builder_.BeginPage(running_.Label(page_idx_++)); }

  std::string_view text_;
  RunningLines running_;
  size_t page_idx_ = 0;
  DocumentBuilder builder_;
  std::vector<uint32_t> list_indents_;  // open list levels; empty: not in a list
  uint32_t paragraph_indent_ = 0;       // of the last paragraph: code is indented further
  bool has_title_ = false;
  bool page_broke_paragraph_ = false;
  bool in_fence_ = false;
  std::string fence_text_;
  std::string last_paragraph_end_;
};

bool EndsSentence(std::string_view line) {
  constexpr std::string_view kEnds = ".!?:;";
  return !line.empty() && (kEnds.find(line.back()) != std::string_view::npos ||
                           (line.size() >= 3 && line.substr(line.size() - 3) == "。"));
}

bool StartsLower(std::string_view line) {
  return !line.empty() && line.front() >= 'a' && line.front() <= 'z';
}

bool IsFence(const TextLine& line) { return line.text.substr(0, 3) == "```"; }

void AppendCodeLine(const TextLine& line, uint32_t margin, std::string& code) {
  // A hostile line of tabs must not become a hundred megabytes of spaces.
  constexpr uint32_t kMaxShownIndent = 200;
  code.append(std::min(line.indent - std::min(line.indent, margin), kMaxShownIndent), ' ');
  code.append(line.text).push_back('\n');
}

// A list may start in the middle of a region: after "Do this:", or with an unmistakable marker.
bool StartsList(const TextLine& line, const TextLine* previous) {
  const auto marker = ParseListMarker(line.text);
  if (!marker) return false;
  if (previous == nullptr || EndsSentence(previous->text)) return true;
  return marker->bullet ? line.indent > previous->indent : marker->number == 1;
}

// Wrapped lines break where the next word would not fit; lists of facts break anywhere.
bool IsWrapped(Lines lines) {
  size_t width = 0;
  for (const TextLine& line : lines) width = std::max(width, line.indent + line.text.size());
  if (width > kUnwrappedWidth) return false;
  size_t early_breaks = 0;
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    const size_t first_word = std::min(lines[i + 1].text.find(' '), lines[i + 1].text.size());
    const size_t used = lines[i].indent + lines[i].text.size() + 1 + first_word;
    early_breaks += used + width / 8 < width;
  }
  return early_breaks * 2 <= lines.size() - 1;
}

// "Model: X-200", not a sentence with a colon in it.
bool IsFact(const TextLine& line) {
  const size_t colon = line.text.find(": ");
  if (colon == std::string_view::npos || colon == 0 || StartsLower(line.text)) return false;
  const std::string_view key = line.text.substr(0, colon);
  return key.size() <= 40 && std::count(key.begin(), key.end(), ' ') <= 3;
}

bool AreFacts(Lines lines) {
  return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), IsFact)) * 2 > lines.size();
}

Result<Document> TextReader::Read(std::string_view fallback_title) {
  const bool has_pages = text_.find('\f') != std::string_view::npos;
  if (has_pages) StartPage();
  LineReader reader(text_);
  std::vector<TextLine> region;
  TextLine line;
  bool more = reader.Next(line);
  while (more) {
    region.clear();
    if (line.page_break_before) {
      StartPage();
      page_broke_paragraph_ = true;
      line.page_break_before = false;
    }
    while (more && !line.page_break_before && region.size() < kMaxRegionLines &&
           (in_fence_ ? region.empty() : !line.text.empty())) {
      if (!running_.Contains(line.text)) region.push_back(line);
      more = reader.Next(line);
    }
    AddRegion(region);
    uint32_t blank_lines = 0;
    for (; !in_fence_ && more && !line.page_break_before && line.text.empty();
         more = reader.Next(line)) {
      ++blank_lines;
    }
    // Two blank lines end a list even when the next region looks like more of it.
    if (blank_lines > 1) EndList();
  }
  if (in_fence_) builder_.AddCode(fence_text_);
  return builder_.Finish(fallback_title);
}

void TextReader::AddRegion(Lines whole) {
  Lines region = whole;
  while (!region.empty()) {
    const bool fence = IsFence(region.front());
    if (in_fence_ || fence) {
      region = region.subspan(AddFence(region));
      continue;
    }
    const auto next_fence = std::find_if(region.begin(), region.end(), IsFence);
    const Lines before_fence = region.first(static_cast<size_t>(next_fence - region.begin()));
    const size_t headings = AddLeadingHeadings(before_fence);
    if (headings < before_fence.size()) AddBody(before_fence.subspan(headings));
    region = region.subspan(before_fence.size());
  }
  if (!whole.empty()) page_broke_paragraph_ = false;
}

// ``` fences are used outside Markdown too. Returns how many lines were taken.
size_t TextReader::AddFence(Lines region) {
  size_t i = 0;
  if (!in_fence_) {
    in_fence_ = true;
    list_indents_.clear();
    i = 1;
  }
  for (; i < region.size(); ++i) {
    if (IsFence(region[i])) {
      in_fence_ = false;
      builder_.AddCode(fence_text_);
      fence_text_.clear();
      return i + 1;
    }
    AppendCodeLine(region[i], 0, fence_text_);
  }
  return i;
}

size_t TextReader::AddLeadingHeadings(Lines region) {
  size_t used = 0;
  while (used < region.size()) {
    const size_t taken = AddHeading(region.subspan(used), used == 0);
    if (taken == 0) break;
    used += taken;
  }
  return used;
}

// Lines consumed by a heading or a bare rule at the start of `rest`; 0 when there is none.
size_t TextReader::AddHeading(Lines rest, bool first) {
  const auto add = [&](uint32_t level, std::string_view text) {
    if (!has_title_ && level == 1) builder_.SetTitle(text);
    has_title_ |= level == 1;
    builder_.AddHeading(level, text);
    list_indents_.clear();
  };
  const auto underline_level = [](char rule) -> uint32_t {
    return rule == '=' || rule == '#' ? 1 : rule == '-' || rule == '*' ? 2 : 3;
  };
  constexpr size_t kMaxTitleWidth = 120;
  const auto fits_rule = [&](const TextLine& title, const TextLine& rule) {
    const size_t width = DisplayWidth(title.text.substr(0, 2 * kMaxTitleWidth));
    return width <= kMaxTitleWidth && rule.text.size() * 2 >= width && !RuleChar(title.text);
  };
  if (const auto rule = RuleChar(rest[0].text)) {
    if (rest.size() >= 3 && RuleChar(rest[2].text) == rule && fits_rule(rest[1], rest[2])) {
      add(underline_level(*rule), rest[1].text);
      return 3;
    }
    return 1;
  }
  if (rest.size() >= 2) {
    const auto rule = RuleChar(rest[1].text);
    if (rule && fits_rule(rest[0], rest[1])) {
      add(underline_level(*rule), rest[0].text);
      return 2;
    }
  }
  const auto level = HeadingLevel(rest[0].text);
  if (!level) return 0;
  const bool alone = rest.size() == 1;
  const auto marker = ParseListMarker(rest[0].text);
  if (marker && !list_indents_.empty()) return 0;  // goes on with the open list
  if (alone && first) {
    add(*level, rest[0].text);
    return 1;
  }
  // Directly above its text: only forms that no sentence and no list item can have.
  if (marker || rest.size() < 2) return 0;
  const bool unmistakable = rest[0].indent < rest[1].indent || !StartsLower(rest[1].text);
  if (!unmistakable || HeadingLevel(rest[1].text) == level) return 0;
  add(*level, rest[0].text);
  return 1;
}

void TextReader::AddBody(Lines body) {
  if (auto table = ParseTextTable(body)) {
    list_indents_.clear();
    builder_.AddTable(table->rows, table->header_rows);
    return;
  }
  const auto code_lines = static_cast<size_t>(std::count_if(
      body.begin(), body.end(), [](const TextLine& line) { return LooksLikeCode(line.text); }));
  const bool indented = std::all_of(body.begin(), body.end(), [this](const TextLine& line) {
    return line.indent >= paragraph_indent_ + 2;
  });
  const bool code = code_lines * 2 > body.size() || (code_lines * 4 >= body.size() && indented);
  if (code && (indented || body.size() > 2) && !ParseListMarker(body[0].text)) {
    return AddCode(body);
  }
  // Prose up to the first item, then the list to the end of the region.
  size_t list_begin = 0;
  while (list_begin < body.size() &&
         !StartsList(body[list_begin], list_begin > 0 ? &body[list_begin - 1] : nullptr)) {
    ++list_begin;
  }
  if (list_begin > 0) AddParagraphs(body.first(list_begin));
  if (list_begin < body.size()) AddList(body.subspan(list_begin));
}

void TextReader::AddList(Lines items) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (const auto marker = ParseListMarker(items[i].text)) {
      AddListItem(items[i], *marker);
    } else {
      builder_.ContinueParagraph(items[i].text);
    }
  }
}

void TextReader::AddListItem(const TextLine& line, const ListMarker& marker) {
  while (!list_indents_.empty() && list_indents_.back() > line.indent) list_indents_.pop_back();
  if (list_indents_.empty() || list_indents_.back() < line.indent) {
    list_indents_.push_back(line.indent);
  }
  builder_.AddListItem(static_cast<uint32_t>(list_indents_.size() - 1), marker.marker, marker.text);
}

void TextReader::AddParagraphs(Lines lines) {
  // Indented below an item: the item's next paragraph.
  if (!list_indents_.empty() && lines[0].indent > list_indents_.back()) {
    for (const TextLine& line : lines) builder_.ContinueParagraph(line.text);
    return;
  }
  list_indents_.clear();
  paragraph_indent_ = lines.back().indent;
  const bool wrapped = lines.size() == 1 || (IsWrapped(lines) && !AreFacts(lines));
  const uint32_t margin =
      std::min_element(lines.begin(), lines.end(), [](const TextLine& a, const TextLine& b) {
        return a.indent < b.indent;
      })->indent;
  const auto first_lines = static_cast<size_t>(std::count_if(
      lines.begin(), lines.end(), [&](const TextLine& l) { return l.indent >= margin + 2; }));
  // Books mark paragraphs by an indent alone; a block quote has all of its lines indented.
  const bool split_at_indents = lines.size() >= 4 && first_lines * 2 <= lines.size();
  std::string paragraph;
  bool continues = page_broke_paragraph_ && StartsLower(lines[0].text) &&
                   !last_paragraph_end_.empty() && !EndsSentence(last_paragraph_end_);
  const auto flush = [&] {
    if (paragraph.empty()) return;
    continues ? builder_.ContinueParagraph(paragraph) : builder_.AddParagraph(paragraph);
    continues = false;
    paragraph.clear();
  };
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool indented = lines[i].indent >= margin + 2;
    if (!wrapped || (split_at_indents && indented && i > 0)) flush();
    if (!paragraph.empty()) paragraph.push_back('\n');
    paragraph.append(lines[i].text);
  }
  flush();
  last_paragraph_end_ =
      lines.back().text.substr(lines.back().text.size() > 4 ? lines.back().text.size() - 4 : 0);
}

void TextReader::AddCode(Lines lines) {
  list_indents_.clear();
  uint32_t margin = lines[0].indent;
  for (const TextLine& line : lines) margin = std::min(margin, line.indent);
  std::string code;
  for (const TextLine& line : lines) AppendCodeLine(line, margin, code);
  builder_.AddCode(code);
}

}  // namespace

Result<Document> ExtractText(const ExtractorInput& input) {
  const DecodedText decoded = DecodeText(input.bytes);
  TextReader reader(decoded.text, input.max_text_bytes);
  VADE_TRY(Document document, reader.Read(FileStem(input.file_name)));
  AddCharsetNotes(decoded, document);
  return document;
}

}  // namespace vade::ingest
