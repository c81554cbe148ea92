// Reading order by cutting the page. A gutter is a vertical strip that a stack of lines leaves free
// on both sides. Free strips also run through tables, so a gutter counts only where both sides are
// columns: lines that fill their width, prose on one side at least, whose paragraphs start at
// different heights. (The cells of a table row start at the same height.) Full-width lines end a
// stack. Each side is cut again, which gives three and more columns. Cost: candidate gutters (<=
// kMaxCandidates) times spans, per cut.
#include "ingest/pdf_layout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

namespace vade::ingest {
namespace {

using Spans = std::vector<PdfSpan>;

constexpr double kSpanGapEm = 1.0;   // wider gaps separate columns or cells, not words
constexpr double kWordGapEm = 0.12;  // narrower gaps are kerning, not spaces
constexpr double kMinGutterEm = 0.9;
constexpr double kMinColumnEm = 9.0;  // narrower columns of text are table columns
constexpr size_t kMinColumnLines = 4;
constexpr size_t kMaxCandidates = 16;
constexpr int kMaxCuts = 6;  // depth; three columns need two

double MedianSize(const Spans& spans) {
  std::vector<double> sizes;
  sizes.reserve(spans.size());
  for (const PdfSpan& span : spans) sizes.push_back(span.size);
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return std::max(*middle, 1.0);
}

bool SameLine(const PdfSpan& a, const PdfSpan& b) {
  // Sub- and superscripts overlap less, but are smaller and close.
  const bool script = std::abs(a.size - b.size) > 0.2 * std::max(a.size, b.size);
  return VerticalOverlap(a.box, b.box) > (script ? 0.3 : 0.5);
}

void SortByHeight(Spans& spans) {
  std::stable_sort(spans.begin(), spans.end(), [](const PdfSpan& a, const PdfSpan& b) {
    return a.box.y0 + a.box.y1 < b.box.y0 + b.box.y1;
  });
}

// Share of the text (by width) that stands in pieces nearly as wide as the column; 0 when there is
// too little, or the column too narrow, to be prose at all.
double ShareInFullLines(const std::vector<double>& piece_widths, double em) {
  if (piece_widths.size() < kMinColumnLines) return 0;
  std::vector<double> widths = piece_widths;
  std::sort(widths.begin(), widths.end());
  const double full = widths[widths.size() * 9 / 10];
  if (full < kMinColumnEm * em) return 0;
  double all = 0;
  double in_full_lines = 0;
  for (const double width : widths) {
    all += width;
    in_full_lines += width >= 0.75 * full ? width : 0;
  }
  return in_full_lines / all;
}

// Pieces are spans: cells of a table are narrow, lines of prose are not.
bool IsProse(const Spans& spans, double em) {
  std::vector<double> widths;
  for (const PdfSpan& span : spans) widths.push_back(span.box.width());
  return ShareInFullLines(widths, em) >= 0.5;
}

// Pieces are whole lines: a column may hold a table of its own.
bool IsColumn(Spans spans, double em) {
  SortByHeight(spans);
  std::vector<Box> lines;
  for (const PdfSpan& span : spans) {
    if (!lines.empty() && VerticalOverlap(lines.back(), span.box) > 0.5) {
      lines.back().Include(span.box);
    } else {
      lines.push_back(span.box);
    }
  }
  std::vector<double> widths;
  for (const Box& line : lines) widths.push_back(line.width());
  return ShareInFullLines(widths, em) >= 0.5;
}

// One side is prose, the other at least fills its width.
bool AreColumns(const Spans& left, const Spans& right, double em) {
  if (left.size() < kMinColumnLines || right.size() < kMinColumnLines) return false;
  return (IsProse(left, em) && IsColumn(right, em)) || (IsColumn(left, em) && IsProse(right, em));
}

// Tops of the lines that follow a gap wider than the usual line distance of this stack.
std::vector<double> BlockStarts(Spans spans, double em) {
  SortByHeight(spans);
  std::vector<double> gaps;
  for (size_t i = 1; i < spans.size(); ++i) gaps.push_back(spans[i].box.y0 - spans[i - 1].box.y1);
  std::vector<double> sorted = gaps;
  std::sort(sorted.begin(), sorted.end());
  const double usual = sorted.empty() ? 0 : sorted[sorted.size() / 4];
  std::vector<double> starts{spans.front().box.y0};
  for (size_t i = 0; i < gaps.size(); ++i) {
    if (gaps[i] > usual + 0.25 * em) starts.push_back(spans[i + 1].box.y0);
  }
  return starts;
}

// Most blocks of the side with fewer of them start where one of the other side does: table rows.
bool RowsAlign(const Spans& left, const Spans& right, double em) {
  std::vector<double> few = BlockStarts(left, em);
  std::vector<double> many = BlockStarts(right, em);
  if (few.size() > many.size()) std::swap(few, many);
  if (few.size() < 3) return false;
  const auto shared = std::count_if(few.begin(), few.end(), [&](double y) {
    return std::any_of(many.begin(), many.end(),
                       [&](double other) { return std::abs(y - other) < 0.35 * em; });
  });
  return static_cast<double>(shared) >= 0.7 * static_cast<double>(few.size());
}

// Both sides begin with a bold line at the same height: a table's header row.
bool BeginsWithHeader(const Spans& left, const Spans& right, double em) {
  const auto top = [](const Spans& spans) {
    return *std::min_element(spans.begin(), spans.end(), [](const PdfSpan& a, const PdfSpan& b) {
      return a.box.y0 < b.box.y0;
    });
  };
  const PdfSpan a = top(left);
  const PdfSpan b = top(right);
  const auto bold = [](const Spans& spans) {
    return std::count_if(spans.begin(), spans.end(), [](const PdfSpan& span) { return span.bold; });
  };
  return a.bold && b.bold && std::abs(a.box.y0 - b.box.y0) < 0.3 * em && a.size == b.size &&
         bold(left) <= static_cast<std::ptrdiff_t>(left.size() / 2) && a.size < 1.15 * em;
}

struct Stack {  // lines left and right of a gutter, between two full-width lines
  Spans left;
  Spans right;
};

struct Cut {
  double gutter_x0 = 0;
  double gutter_x1 = 0;
  std::vector<Box> stacks;  // y ranges where the page has columns
  size_t num_spans = 0;
};

bool Crosses(const PdfSpan& span, const Cut& cut) {
  return span.box.x0 < cut.gutter_x1 && span.box.x1 > cut.gutter_x0;
}

// Fills cut.stacks for the gutter; spans are sorted by height.
void FindStacks(const Spans& spans, double em, Cut& cut) {
  Stack stack;
  Box range{0, -1e9, 0, 1e9};
  const auto close = [&](double y1) {
    range.y1 = y1;
    if (AreColumns(stack.left, stack.right, em) && !RowsAlign(stack.left, stack.right, em) &&
        !BeginsWithHeader(stack.left, stack.right, em)) {
      cut.stacks.push_back(range);
      cut.num_spans += stack.left.size() + stack.right.size();
    }
    stack = {};
  };
  for (const PdfSpan& span : spans) {
    if (Crosses(span, cut)) {
      const double middle = (span.box.y0 + span.box.y1) / 2;
      close(middle);
      range.y0 = middle;
    } else {
      (span.box.x0 >= cut.gutter_x1 ? stack.right : stack.left).push_back(span);
    }
  }
  close(1e9);
}

std::optional<Cut> FindCut(const Spans& spans, double em) {
  double x0 = 1e9;
  double x1 = -1e9;
  std::map<int, size_t> starts;  // left edges, in steps of 2 points
  for (const PdfSpan& span : spans) {
    x0 = std::min(x0, span.box.x0);
    x1 = std::max(x1, span.box.x1);
    ++starts[static_cast<int>(std::clamp(span.box.x0, -1e6, 1e6) / 2)];
  }
  std::vector<std::pair<size_t, int>> candidates;
  for (const auto& [step, count] : starts) {
    const double x = 2.0 * step;
    if (count >= 3 && x > x0 + kMinColumnEm * em && x < x1 - kMinColumnEm * em) {
      candidates.emplace_back(count, step);
    }
  }
  std::sort(candidates.rbegin(), candidates.rend());
  candidates.resize(std::min(candidates.size(), kMaxCandidates));
  std::optional<Cut> best;
  for (const auto& [count, step] : candidates) {
    Cut cut;
    cut.gutter_x1 = 2.0 * step - 0.05 * em;
    cut.gutter_x0 = cut.gutter_x1 - kMinGutterEm * em;
    FindStacks(spans, em, cut);
    if (cut.num_spans > 0 && (!best || cut.num_spans > best->num_spans)) best = std::move(cut);
  }
  return best;
}

PdfLine MakeLine(Spans spans) {
  std::stable_sort(spans.begin(), spans.end(),
                   [](const PdfSpan& a, const PdfSpan& b) { return a.box.x0 < b.box.x0; });
  PdfLine line;
  line.box = spans.front().box;
  line.bold = line.mono = true;
  size_t longest = 0;
  for (const PdfSpan& span : spans) {
    line.box.Include(span.box);
    line.bold &= span.bold;
    line.mono &= span.mono;
    if (span.text.size() >= longest) {
      longest = span.text.size();
      line.size = span.size;
    }
  }
  line.spans = std::move(spans);
  return line;
}

// One column: spans beside each other are one line.
void AppendColumn(Spans spans, std::vector<PdfLine>& out) {
  if (spans.empty()) return;
  SortByHeight(spans);
  const size_t first = out.size();
  Spans line;
  for (PdfSpan& span : spans) {
    if (!line.empty() && !SameLine(line.front(), span)) {
      out.push_back(MakeLine(std::move(line)));
      line.clear();
    }
    line.push_back(std::move(span));
  }
  out.push_back(MakeLine(std::move(line)));
  out[first].starts_column = true;
}

void AppendRegion(Spans spans, int depth, std::vector<PdfLine>& out) {
  if (spans.empty()) return;
  SortByHeight(spans);
  const double em = MedianSize(spans);
  const std::optional<Cut> cut = depth < kMaxCuts ? FindCut(spans, em) : std::nullopt;
  if (!cut) return AppendColumn(std::move(spans), out);
  Spans full;
  Stack stack;
  size_t stack_idx = 0;
  const auto flush_stack = [&] {
    AppendRegion(std::move(stack.left), depth + 1, out);
    AppendRegion(std::move(stack.right), depth + 1, out);
    stack = {};
  };
  for (PdfSpan& span : spans) {
    const double y = (span.box.y0 + span.box.y1) / 2;
    while (stack_idx < cut->stacks.size() && y >= cut->stacks[stack_idx].y1) {
      flush_stack();
      ++stack_idx;
    }
    const bool in_stack = stack_idx < cut->stacks.size() && y > cut->stacks[stack_idx].y0;
    if (in_stack && !Crosses(span, *cut)) {
      AppendRegion(std::exchange(full, {}), depth + 1, out);
      (span.box.x0 >= cut->gutter_x1 ? stack.right : stack.left).push_back(std::move(span));
    } else {
      full.push_back(std::move(span));
    }
  }
  flush_stack();
  AppendRegion(std::move(full), depth + 1, out);
}

}  // namespace

void Box::Include(const Box& other) noexcept {
  x0 = std::min(x0, other.x0);
  y0 = std::min(y0, other.y0);
  x1 = std::max(x1, other.x1);
  y1 = std::max(y1, other.y1);
}

double VerticalOverlap(const Box& a, const Box& b) noexcept {
  const double shared = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  const double lower = std::min(a.height(), b.height());
  return lower > 0 ? shared / lower : 0;
}

std::string PdfLine::Text() const {
  std::string out;
  for (const PdfSpan& span : spans) {
    if (!out.empty()) out.push_back(' ');
    out += span.text;
  }
  return out;
}

std::vector<PdfSpan> JoinWords(std::vector<PdfSpan> words) {
  std::vector<PdfSpan> spans;
  size_t bold_bytes = 0;
  size_t mono_bytes = 0;
  size_t size_bytes = 0;  // bytes set in spans.back().size
  const auto finish = [&] {
    if (spans.empty()) return;
    PdfSpan& span = spans.back();
    span.bold = bold_bytes * 10 >= span.text.size() * 9;
    span.mono = mono_bytes * 10 >= span.text.size() * 9;
  };
  for (PdfSpan& word : words) {
    PdfSpan* last = spans.empty() ? nullptr : &spans.back();
    const double em = last == nullptr ? word.size : std::max(last->size, word.size);
    const double gap = last == nullptr ? 0 : word.box.x0 - last->box.x1;
    if (last == nullptr || !SameLine(*last, word) || gap > kSpanGapEm * em || gap < -0.5 * em) {
      finish();
      bold_bytes = word.bold ? word.text.size() : 0;
      mono_bytes = word.mono ? word.text.size() : 0;
      size_bytes = word.text.size();
      spans.push_back(std::move(word));
      continue;
    }
    if (last->space_after || gap > kWordGapEm * em) {
      last->text.push_back(' ');
      bold_bytes += word.bold;
      mono_bytes += word.mono;
    }
    last->text += word.text;
    bold_bytes += word.bold ? word.text.size() : 0;
    mono_bytes += word.mono ? word.text.size() : 0;
    if (word.text.size() > size_bytes) {
      size_bytes = word.text.size();
      last->size = word.size;
    }
    last->box.Include(word.box);
    last->space_after = word.space_after;
  }
  finish();
  return spans;
}

std::vector<PdfLine> OrderLines(std::vector<PdfSpan> spans) {
  std::vector<PdfLine> lines;
  AppendRegion(std::move(spans), 0, lines);
  return lines;
}

}  // namespace vade::ingest
