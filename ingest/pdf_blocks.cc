// One pass over the lines of a page. Each step takes the longest thing that begins at the current
// line: contents lines, code, a list item, a table, else a paragraph.
#include "ingest/pdf_blocks.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <span>

#include "engine/base/utf8.h"
#include "ingest/list_marker.h"

namespace vade::ingest {
namespace {

constexpr double kParagraphGapEm = 0.35;  // beyond the usual line gap
constexpr double kSizeTolerance = 0.06;   // share; the same font size, rounded by producers
constexpr size_t kMaxHeadingChars = 120;
constexpr size_t kMaxListLevels = 8;

bool SameSize(double a, double b) { return std::abs(a - b) <= kSizeTolerance * std::max(a, b); }

bool EndsSentence(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '"' || text.back() == ')')) {
    text.remove_suffix(1);
  }
  if (text.empty()) return true;
  if (std::string_view(".!?:;").find(text.back()) != std::string_view::npos) return true;
  for (const std::string_view end : {"\u3002", "\uFF01", "\uFF1F", "\u201D", "\u2019"}) {
    if (text.ends_with(end)) return true;
  }
  return false;
}

// Lower case, or a script without case: may be the middle of a sentence.
bool StartsMidSentence(std::string_view text) {
  if (text.empty()) return false;
  const auto c = static_cast<unsigned char>(text[0]);
  if (c < 0x80) return std::islower(c) != 0 || c == '(';
  const char32_t first = utf8::Decode(text, 0).value;
  return first >= 0x1100;  // Hangul, Kana, Han
}

// "Setting the pressures ........ 3": three or more dots and a page number at the end.
bool IsContentsLine(const PdfLine& line) {
  const std::string text = line.Text();
  size_t end = text.find_last_not_of(' ');
  if (end == std::string::npos) return false;
  size_t number = 0;
  while (end > 0 &&
         (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '-') &&
         number < 8) {
    --end;
    ++number;
  }
  size_t dots = 0;
  for (; end > 0; --end) {
    if (text[end] == '.') {
      ++dots;
    } else if (text[end] != ' ') {
      break;
    }
  }
  return number > 0 && dots >= 4;
}

bool IsContentsTitle(std::string_view text) {
  constexpr std::string_view kTitles[] = {"Contents",
                                          "CONTENTS",
                                          "Table of Contents",
                                          "Table of contents",
                                          "TABLE OF CONTENTS",
                                          "목차",
                                          "차례",
                                          "목 차",
                                          "차 례",
                                          "Inhalt",
                                          "Inhaltsverzeichnis",
                                          "Sommaire",
                                          "目次",
                                          "目录"};
  return std::find(std::begin(kTitles), std::end(kTitles), text) != std::end(kTitles);
}

class BlockBuilder {
 public:
  BlockBuilder(const PdfPage& page, const PdfBodyStyle& body, size_t& num_contents_lines)
      : lines_(page.lines), body_(body), num_contents_lines_(num_contents_lines) {
    MeasureColumns();
  }

  std::vector<PdfBlock> Build() {
    while (at_ < lines_.size()) {
      if (SkipContents() || TakeCode() || TakeListItem() || TakeTable()) continue;
      TakeParagraph();
    }
    return std::move(blocks_);
  }

 private:
  struct Column {
    double x0 = 1e9;
    double x1 = -1e9;
  };

  // Left and right edge of the column each line stands in.
  void MeasureColumns() {
    column_of_.resize(lines_.size());
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (columns_.empty() || lines_[i].starts_column) columns_.emplace_back();
      Column& column = columns_.back();
      column.x0 = std::min(column.x0, lines_[i].box.x0);
      column.x1 = std::max(column.x1, lines_[i].box.x1);
      column_of_[i] = columns_.size() - 1;
    }
  }

  [[nodiscard]] const Column& ColumnAt(size_t i) const { return columns_[column_of_[i]]; }

  [[nodiscard]] bool WideGapAbove(size_t i) const {
    if (i == 0 || lines_[i].starts_column) return false;
    const double gap = lines_[i].box.y0 - lines_[i - 1].box.y1;
    const double size = std::max(lines_[i].size, lines_[i - 1].size);
    return gap > (body_.line_gap_em + kParagraphGapEm) * size || gap < -2 * size;
  }

  [[nodiscard]] bool IsFull(size_t i) const {
    return lines_[i].box.x1 > ColumnAt(i).x1 - 0.12 * (ColumnAt(i).x1 - ColumnAt(i).x0);
  }

  bool SkipContents() {
    size_t end = at_;
    while (end < lines_.size() && IsContentsLine(lines_[end])) ++end;
    if (end == at_) return false;
    num_contents_lines_ += end - at_;
    at_ = end;
    if (!blocks_.empty() && IsContentsTitle(blocks_.back().text)) blocks_.pop_back();
    return true;
  }

  bool TakeCode() {
    if (body_.mono || !lines_[at_].mono) return false;
    PdfBlock block;
    block.kind = PdfBlock::Kind::kCode;
    const double left = ColumnAt(at_).x0;
    for (size_t first = at_; at_ < lines_.size() && lines_[at_].mono; ++at_) {
      const PdfLine& line = lines_[at_];
      if (at_ > first &&
          (line.starts_column || line.box.y0 - lines_[at_ - 1].box.y1 > 2 * line.size)) {
        break;
      }
      // A fixed-width character is 0.6 em wide: indentation is part of code.
      const double indent = std::clamp((line.box.x0 - left) / (0.6 * line.size), 0.0, 80.0);
      block.text.append(static_cast<size_t>(std::lround(indent)), ' ');
      block.text += line.Text() + "\n";
    }
    blocks_.push_back(std::move(block));
    return true;
  }

  // The marker may be a span of its own, with a tab after it.
  [[nodiscard]] std::optional<ListMarker> MarkerAt(size_t i) const {
    const PdfLine& line = lines_[i];
    const std::string text = line.Text();
    auto marker = FindListMarker(text);
    if (!marker || line.spans.size() == 1) return marker;
    const auto alone = FindListMarker(line.spans[0].text);
    if (!alone) return std::nullopt;
    // "1. | Press the button": the tab after the marker. More spans: wide gaps of justified text,
    // unless they are the cells of a table.
    if (line.spans.size() == 2 && alone->length == line.spans[0].text.size()) return marker;
    return FindTable(std::span(lines_).subspan(i)) ? std::nullopt : marker;
  }

  bool TakeListItem() {
    const PdfLine& line = lines_[at_];
    const auto marker = MarkerAt(at_);
    // "1. Introduction" in large or bold type is a heading; a lone marker is nothing.
    if (!marker || !SameSize(line.size, body_.size) || (line.bold && !body_.bold)) return false;
    PdfBlock block;
    block.kind = PdfBlock::Kind::kListItem;
    block.size = line.size;
    block.marker = marker->marker;
    block.text = line.Text().substr(marker->length);
    block.depth = DepthOf(line.box.x0);
    const size_t first = at_++;
    for (; at_ < lines_.size(); ++at_) {
      const PdfLine& next = lines_[at_];
      if (next.starts_column || WideGapAbove(at_) || !SameSize(next.size, line.size) ||
          MarkerAt(at_)) {
        break;
      }
      if (next.spans.size() > 1 && FindTable(std::span(lines_).subspan(at_))) break;
      // Wrapped lines hang below the text; a line back at the marker is a new paragraph.
      if (next.box.x0 < line.box.x0 + 0.5 * line.size && !IsFull(at_ - 1)) break;
      if (next.box.x0 < line.box.x0 - line.size) break;
      block.text += '\n';
      block.text += next.Text();
    }
    FinishText(block, first);
    blocks_.push_back(std::move(block));
    return true;
  }

  uint32_t DepthOf(double x0) {
    const bool list_goes_on = !blocks_.empty() && blocks_.back().kind == PdfBlock::Kind::kListItem;
    if (!list_goes_on || lines_[at_].starts_column) marker_x0_.clear();
    const double tolerance = 0.7 * body_.size;
    while (!marker_x0_.empty() && marker_x0_.back() > x0 + tolerance) marker_x0_.pop_back();
    if (marker_x0_.empty() || marker_x0_.back() < x0 - tolerance) {
      if (marker_x0_.size() < kMaxListLevels) marker_x0_.push_back(x0);
    }
    return static_cast<uint32_t>(marker_x0_.size() - 1);
  }

  bool TakeTable() {
    auto table = FindTable(std::span(lines_).subspan(at_));
    if (!table) return false;
    PdfBlock block;
    block.kind = PdfBlock::Kind::kTable;
    block.size = lines_[at_].size;
    at_ += table->num_lines;
    block.table = std::move(*table);
    blocks_.push_back(std::move(block));
    return true;
  }

  void TakeParagraph() {
    const size_t first = at_;
    PdfBlock block;
    block.size = lines_[at_].size;
    block.bold = lines_[at_].bold;
    block.text = lines_[at_].Text();
    for (++at_; at_ < lines_.size() && ContinuesParagraph(first, at_); ++at_) {
      block.text += '\n';
      block.text += lines_[at_].Text();
    }
    FinishText(block, first);
    const size_t num_lines = at_ - first;
    const bool larger = block.size > body_.size * 1.1;
    const bool heavier = block.bold && !body_.bold && block.size > body_.size * 0.95;
    block.maybe_heading = (larger || heavier) && num_lines <= 3 &&
                          utf8::CountCodePoints(block.text) <= kMaxHeadingChars &&
                          (larger || !EndsSentence(block.text));
    blocks_.push_back(std::move(block));
  }

  bool ContinuesParagraph(size_t first, size_t i) const {
    const PdfLine& line = lines_[i];
    const PdfLine& above = lines_[i - 1];
    if (line.starts_column || WideGapAbove(i)) return false;
    if (!SameSize(line.size, above.size)) return false;
    // Bold words that fill a line and go on in plain type are the start of a sentence, no heading.
    const bool runs_on = IsFull(i - 1) && !EndsSentence(above.Text());
    if (line.bold != lines_[first].bold && !runs_on) return false;
    if (line.mono != above.mono && !body_.mono) return false;
    if (MarkerAt(i) || IsContentsLine(line)) return false;
    if (line.spans.size() > 1 && FindTable(std::span(lines_).subspan(i))) return false;
    const double em = line.size;
    const bool indented = line.box.x0 > above.box.x0 + 0.8 * em;
    const bool was_indented = i - 1 == first && above.box.x0 > line.box.x0 + 0.8 * em;
    // A first-line indent begins a paragraph; so does a line after a short one that ended a
    // sentence. Centred text moves both edges and is left whole.
    if (indented && !was_indented && IsFull(i - 1) && !IsCentred(i)) return false;
    return IsFull(i - 1) || !EndsSentence(above.Text()) || IsCentred(i);
  }

  [[nodiscard]] bool IsCentred(size_t i) const {
    const Column& column = ColumnAt(i);
    const double left = lines_[i].box.x0 - column.x0;
    const double right = column.x1 - lines_[i].box.x1;
    return left > 2 * lines_[i].size && std::abs(left - right) < lines_[i].size;
  }

  void FinishText(PdfBlock& block, size_t first) const {
    const size_t last = at_ - 1;
    block.may_continue = IsFull(last) && !EndsSentence(lines_[last].Text());
    block.continues = StartsMidSentence(lines_[first].Text()) &&
                      lines_[first].box.x0 < ColumnAt(first).x0 + 0.8 * lines_[first].size;
  }

  const std::vector<PdfLine>& lines_;
  const PdfBodyStyle& body_;
  size_t& num_contents_lines_;
  std::vector<Column> columns_;
  std::vector<size_t> column_of_;
  std::vector<PdfBlock> blocks_;
  std::vector<double> marker_x0_;  // of the open list levels
  size_t at_ = 0;
};

// The distance below full lines of body text is a line distance; below others it may be a
// paragraph's.
double MeasureLineGap(const std::vector<PdfPage>& pages, const PdfBodyStyle& body) {
  const auto is_body = [&](const PdfLine& line) {
    return line.spans.size() == 1 && SameSize(line.size, body.size);
  };
  std::vector<double> widths;
  for (const PdfPage& page : pages) {
    for (const PdfLine& line : page.lines) {
      if (is_body(line)) widths.push_back(line.box.width());
    }
  }
  if (widths.empty()) return body.line_gap_em;
  std::sort(widths.begin(), widths.end());
  const double full = 0.85 * widths[widths.size() * 9 / 10];
  std::vector<double> gaps;
  for (const PdfPage& page : pages) {
    for (size_t i = 1; i < page.lines.size(); ++i) {
      const PdfLine& line = page.lines[i];
      const PdfLine& above = page.lines[i - 1];
      const double gap = (line.box.y0 - above.box.y1) / body.size;
      if (!line.starts_column && is_body(line) && is_body(above) && above.box.width() >= full &&
          gap > -0.5 && gap < 2) {
        gaps.push_back(gap);
      }
    }
  }
  if (gaps.empty()) return body.line_gap_em;
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  return *middle;
}

}  // namespace

PdfBodyStyle MeasureBody(const std::vector<PdfPage>& pages) {
  std::map<long, size_t> bytes_by_size;  // in half points
  size_t total = 0;
  size_t bold = 0;
  size_t mono = 0;
  for (const PdfPage& page : pages) {
    for (const PdfLine& line : page.lines) {
      const size_t bytes = line.Text().size();
      bytes_by_size[std::lround(std::min(line.size, 1000.0) * 2)] += bytes;
      total += bytes;
      bold += line.bold ? bytes : 0;
      mono += line.mono ? bytes : 0;
    }
  }
  PdfBodyStyle body;
  size_t most = 0;
  for (const auto& [half_points, bytes] : bytes_by_size) {
    if (bytes > most) {
      most = bytes;
      body.size = std::max(0.5 * static_cast<double>(half_points), 1.0);
    }
  }
  body.bold = bold * 2 > total;
  body.mono = mono * 2 > total;
  body.line_gap_em = MeasureLineGap(pages, body);
  return body;
}

std::vector<PdfBlock> BuildBlocks(const PdfPage& page, const PdfBodyStyle& body,
                                  size_t& num_contents_lines) {
  return BlockBuilder(page, body, num_contents_lines).Build();
}

}  // namespace vade::ingest
