// The extent of a table is found first: lines of several spans, and between them lines that fit
// into its columns (cells that wrap). Then the columns (the free vertical strips), then the rows:
// if line distances come in two sizes, the wide ones separate rows; else each line with a first
// cell begins a row.
#include "ingest/pdf_table.h"

#include <algorithm>
#include <cctype>

namespace vade::ingest {
namespace {

constexpr size_t kMaxLines = 2000;
constexpr double kMaxRowGapEm = 2.6;  // a wider gap ends the table
constexpr double kColumnGapEm = 0.5;  // free strip between two columns

struct Column {
  double x0;
  double x1;
};

double GapAbove(std::span<const PdfLine> lines, size_t i) {
  return lines[i].box.y0 - lines[i - 1].box.y1;
}

// Free strips of the lines with the most spans decide; wider spans (titles over several columns)
// must not glue columns together.
std::vector<Column> FindColumns(std::span<const PdfLine> lines) {
  std::vector<Column> spans;
  for (const PdfLine& line : lines) {
    if (line.spans.size() < 2) continue;
    for (const PdfSpan& span : line.spans) spans.push_back({span.box.x0, span.box.x1});
  }
  std::sort(spans.begin(), spans.end(),
            [](const Column& a, const Column& b) { return a.x0 < b.x0; });
  std::vector<Column> columns;
  const double gap = kColumnGapEm * lines.front().size;
  for (const Column& span : spans) {
    if (!columns.empty() && span.x0 < columns.back().x1 + gap) {
      columns.back().x1 = std::max(columns.back().x1, span.x1);
    } else {
      columns.push_back(span);
    }
  }
  return columns;
}

// Index of the column a span belongs to: the one it overlaps most, or the nearest on its left.
size_t ColumnOf(const PdfSpan& span, const std::vector<Column>& columns) {
  size_t best = 0;
  double most = -1e9;
  for (size_t i = 0; i < columns.size(); ++i) {
    const double shared =
        std::min(span.box.x1, columns[i].x1) - std::max(span.box.x0, columns[i].x0);
    if (shared > most) {
      most = shared;
      best = i;
    }
  }
  return best;
}

// Every span starts in a column and ends before the next one: a title or a paragraph does not.
bool FitsColumns(const PdfLine& line, const std::vector<Column>& columns, double em) {
  return std::all_of(line.spans.begin(), line.spans.end(), [&](const PdfSpan& span) {
    const size_t i = ColumnOf(span, columns);
    const double right =
        i + 1 < columns.size() ? columns[i + 1].x0 - kColumnGapEm * em : columns[i].x1 + 12 * em;
    return span.box.x0 > columns[i].x0 - em && span.box.x1 < right;
  });
}

// Lines [0, extent) may form the table. A line that holds a first cell only is a cell that wraps or
// a paragraph below the table: it counts when the table goes on after it, or when it stands as
// close as wrapped lines do.
size_t FindExtent(std::span<const PdfLine> lines) {
  size_t extent = 1;
  size_t last_multi = 0;
  double row_gap = 0;
  std::vector<Column> columns = FindColumns(lines.first(1));
  for (size_t end = 1; end < lines.size() && end < kMaxLines && end - last_multi <= 6; ++end) {
    const PdfLine& line = lines[end];
    const double gap = GapAbove(lines, end);
    if (line.starts_column || gap > kMaxRowGapEm * line.size) break;
    if (line.size > 1.15 * lines[0].size) break;
    if (line.spans.size() >= 2) {
      row_gap = std::max(row_gap, gap);
      last_multi = end;
      extent = end + 1;
      columns = FindColumns(lines.first(extent));
      continue;
    }
    if (columns.size() < 2 || !FitsColumns(line, columns, line.size)) break;
    const bool first_cell = ColumnOf(line.spans[0], columns) == 0;
    if (first_cell && gap >= 0.6 * row_gap) continue;
    if (extent == end) extent = end + 1;
  }
  return extent;
}

// True where a new row begins at line i (i >= 1).
std::vector<bool> FindRowStarts(std::span<const PdfLine> lines,
                                const std::vector<Column>& columns) {
  std::vector<double> gaps;
  for (size_t i = 1; i < lines.size(); ++i) gaps.push_back(GapAbove(lines, i));
  std::vector<bool> starts(lines.size(), true);
  if (gaps.empty()) return starts;
  const auto [low, high] = std::minmax_element(gaps.begin(), gaps.end());
  const double em = lines.front().size;
  const bool two_sizes = *high - *low > 0.25 * em;
  const double threshold = (std::max(*low, -0.2 * em) + *high) / 2;
  const auto is_complete = [&](size_t i) {
    return lines[i].spans.size() == columns.size() &&
           ColumnOf(lines[i].spans.front(), columns) == 0;
  };
  // One gap below the header and even rows after it are not "two sizes".
  size_t wide = 0;
  size_t complete = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const bool is_wide = gaps[i - 1] > threshold;
    wide += is_wide;
    complete += !is_wide && is_complete(i);
  }
  const size_t narrow = gaps.size() - wide;
  const bool even_rows = complete * 10 >= narrow * 8;
  for (size_t i = 1; i < lines.size(); ++i) {
    // Overlapping lines belong together whatever they hold: a cell centred beside a wrapped one.
    if (gaps[i - 1] < -0.1 * em) {
      starts[i] = false;
    } else if (two_sizes && !even_rows) {
      starts[i] = gaps[i - 1] > threshold;
    } else {
      starts[i] = ColumnOf(lines[i].spans.front(), columns) == 0;
    }
  }
  return starts;
}

bool IsNumeric(const std::string& cell) {
  return std::any_of(cell.begin(), cell.end(),
                     [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
}

// A first row in bold over plain rows, or words over a column of numbers.
uint32_t CountHeaderRows(std::span<const PdfLine> lines, const std::vector<bool>& starts,
                         const std::vector<std::vector<std::string>>& rows) {
  if (rows.size() < 2) return 0;
  size_t first_row_lines = 1;
  while (first_row_lines < lines.size() && !starts[first_row_lines]) ++first_row_lines;
  const auto bold = [](const PdfLine& line) { return line.bold; };
  const auto first = lines.first(first_row_lines);
  const auto rest = lines.subspan(first_row_lines);
  if (std::all_of(first.begin(), first.end(), bold)) {
    return std::all_of(rest.begin(), rest.end(), bold) ? 0 : 1;
  }
  for (size_t column = 1; column < rows[0].size(); ++column) {
    if (rows[0][column].empty() || IsNumeric(rows[0][column])) continue;
    const bool numbers = std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) {
      return row[column].empty() || IsNumeric(row[column]);
    });
    if (numbers && rows.size() >= 3) return 1;
  }
  return 0;
}

void AppendToCell(const std::string& text, std::string& cell) {
  if (!cell.empty()) cell.push_back('\n');  // joined by the builder's rules for wrapped lines
  cell += text;
}

}  // namespace

std::optional<PdfTable> FindTable(std::span<const PdfLine> lines) {
  if (lines.empty() || lines[0].spans.size() < 2) return std::nullopt;
  size_t extent = FindExtent(lines);
  std::vector<Column> columns = FindColumns(lines.first(extent));
  while (extent > 0 && !FitsColumns(lines[extent - 1], columns, lines[0].size)) --extent;
  lines = lines.first(extent);
  const auto multi = std::count_if(lines.begin(), lines.end(),
                                   [](const PdfLine& line) { return line.spans.size() >= 2; });
  if (multi < 2 || columns.size() < 2) return std::nullopt;
  PdfTable table;
  const std::vector<bool> starts = FindRowStarts(lines, columns);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (starts[i]) table.rows.emplace_back(columns.size());
    for (const PdfSpan& span : lines[i].spans) {
      AppendToCell(span.text, table.rows.back()[ColumnOf(span, columns)]);
    }
  }
  if (table.rows.size() < 2) return std::nullopt;
  table.header_rows = CountHeaderRows(lines, starts, table.rows);
  for (const Column& column : columns) table.columns.push_back(column.x0);
  table.num_lines = lines.size();
  return table;
}

}  // namespace vade::ingest
