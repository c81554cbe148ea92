// Only clear cases: a paragraph read as a table is worse than a table read as paragraphs.
#include "ingest/text_table.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

constexpr size_t kMaxTableWidth = 400;   // columns on screen; wider lines are not drawn tables
constexpr size_t kMaxCellsPerRow = 256;  // bounds the work on a line of nothing but separators

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> SplitCells(std::string_view line, char separator) {
  std::vector<std::string> cells;
  for (size_t at = 0; at <= line.size() && cells.size() < kMaxCellsPerRow;) {
    const bool last = cells.size() + 1 == kMaxCellsPerRow;
    const size_t end = last ? line.size() : std::min(line.find(separator, at), line.size());
    cells.emplace_back(Trim(line.substr(at, end - at)));
    at = end + 1;
  }
  return cells;
}

// "+----+---+", "|----|---|", "|====|": the horizontal lines of a box.
bool IsBoxRule(std::string_view line) {
  return line.size() >= 3 && line.find_first_not_of("+-=|: ") == std::string_view::npos &&
         line.find_first_of("-=") != std::string_view::npos;
}

std::optional<TextTable> ParseBoxTable(std::span<const TextLine> lines) {
  size_t num_rules = 0;
  for (const TextLine& line : lines) {
    const bool rule = IsBoxRule(line.text);
    num_rules += rule;
    if (!rule && line.text.front() != '|') return std::nullopt;
  }
  const size_t num_text_lines = lines.size() - num_rules;
  if (num_text_lines == 0 || lines.size() < 2) return std::nullopt;
  // With a rule between all rows, the lines between two rules are one row.
  const bool ruled_rows =
      num_rules >= 4 || (num_rules == 3 && num_text_lines > 3 && !IsBoxRule(lines.front().text));
  TextTable table;
  bool row_open = false;
  size_t rules_after_text = 0;
  for (const TextLine& line : lines) {
    if (IsBoxRule(line.text)) {
      row_open = false;
      if (!table.rows.empty() && ++rules_after_text == 1) {
        table.header_rows = static_cast<uint32_t>(table.rows.size());
      }
      continue;
    }
    std::string_view inner = line.text.substr(1);
    if (!inner.empty() && inner.back() == '|') inner.remove_suffix(1);
    std::vector<std::string> cells = SplitCells(inner, '|');
    if (!ruled_rows || !row_open) {
      table.rows.push_back(std::move(cells));
      row_open = true;
      continue;
    }
    std::vector<std::string>& row = table.rows.back();
    row.resize(std::max(row.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) row[i] += (row[i].empty() ? "" : " ") + cells[i];
  }
  if (table.header_rows == table.rows.size()) table.header_rows = 0;  // only the closing rule
  return table;
}

bool HasDigit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A first row without figures above rows with figures names the columns.
uint32_t GuessHeaderRows(const std::vector<std::vector<std::string>>& rows) {
  if (rows.size() < 3) return 0;
  const auto has_figures = [](const std::vector<std::string>& row) {
    return std::any_of(row.begin() + 1, row.end(), HasDigit);
  };
  if (has_figures(rows.front()) || HasDigit(rows.front().front())) return 0;
  if (rows.front().size() != rows[1].size()) return 0;
  const auto with_figures = std::count_if(rows.begin() + 1, rows.end(), has_figures);
  return static_cast<size_t>(with_figures) * 2 >= rows.size() - 1 ? 1 : 0;
}

std::optional<TextTable> ParseTabTable(std::span<const TextLine> lines) {
  if (lines.size() < 2) return std::nullopt;
  const auto tabs = [](std::string_view text) {
    return std::count(text.begin(), text.end(), '\t');
  };
  const auto expected = tabs(lines.front().text);
  if (expected == 0) return std::nullopt;
  TextTable table;
  for (const TextLine& line : lines) {
    if (tabs(line.text) != expected) return std::nullopt;
    table.rows.push_back(SplitCells(line.text, '\t'));
  }
  table.header_rows = GuessHeaderRows(table.rows);
  return table;
}

// "-----  ------ ---": the rule under column heads, its dashes in two or more groups.
bool IsColumnRule(std::string_view line) {
  return line.size() >= 3 && line.find_first_not_of("-= ") == std::string_view::npos &&
         line.find(' ') != std::string_view::npos;
}

// Marks the screen columns that hold a character of `line`.
void MarkInk(const TextLine& line, std::vector<bool>& ink) {
  size_t column = line.indent;
  for (size_t at = 0; at < line.text.size() && column < ink.size();) {
    const utf8::CodePoint c = utf8::Decode(line.text, at);
    const size_t width = DisplayWidth(line.text.substr(at, c.length));
    const bool blank = c.value == ' ';
    for (size_t i = 0; i < width && column < ink.size(); ++i, ++column) {
      if (!blank) ink[column] = true;
    }
    at += c.length;
  }
}

// Columns are separated by gaps of two or more blanks that run through all lines.
std::vector<size_t> ColumnStarts(const std::vector<bool>& ink) {
  std::vector<size_t> starts;
  size_t blanks = 2;
  for (size_t column = 0; column < ink.size(); ++column) {
    if (!ink[column]) {
      ++blanks;
      continue;
    }
    if (blanks >= 2) starts.push_back(column);
    blanks = 0;
  }
  return starts;
}

// "Safety ........": the dots that lead the eye to a page number.
std::string_view WithoutLeader(std::string_view cell) {
  const size_t end = cell.find_last_not_of(". ");
  const size_t dots = cell.size() - (end == std::string_view::npos ? 0 : end + 1);
  return dots >= 4 ? cell.substr(0, cell.size() - dots) : cell;
}

std::vector<std::string> CutAtColumns(const TextLine& line, const std::vector<size_t>& starts) {
  std::vector<std::string> cells(starts.size());
  size_t column = line.indent;
  size_t cell = 0;
  for (size_t at = 0; at < line.text.size();) {
    while (cell + 1 < starts.size() && column >= starts[cell + 1]) ++cell;
    const utf8::CodePoint c = utf8::Decode(line.text, at);
    cells[cell].append(line.text.substr(at, c.length));
    column += DisplayWidth(line.text.substr(at, c.length));
    at += c.length;
  }
  for (std::string& text : cells) text = std::string(WithoutLeader(Trim(text)));
  return cells;
}

std::optional<TextTable> ParseColumnTable(std::span<const TextLine> lines) {
  const bool ruled = lines.size() >= 2 && IsColumnRule(lines[1].text);
  if (lines.size() < (ruled ? 2 : 3)) return std::nullopt;
  std::vector<bool> ink(kMaxTableWidth, false);
  for (const TextLine& line : lines) {
    if (line.text.size() > kMaxTableWidth || line.text.find('\t') != std::string_view::npos) {
      return std::nullopt;
    }
    MarkInk(line, ink);
  }
  const std::vector<size_t> starts = ColumnStarts(ink);
  if (starts.size() < 2) return std::nullopt;
  TextTable table;
  size_t rows_of_one = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (IsColumnRule(lines[i].text) || RuleChar(lines[i].text)) continue;
    std::vector<std::string> cells = CutAtColumns(lines[i], starts);
    const auto filled = std::count_if(cells.begin(), cells.end(),
                                      [](const std::string& cell) { return !cell.empty(); });
    // A cell wrapped onto the next line: nothing in the first column.
    if (cells.front().empty() && table.rows.size() > (ruled ? 1u : 0u) && filled > 0) {
      for (size_t j = 1; j < cells.size(); ++j) {
        if (!cells[j].empty()) table.rows.back()[j] += " " + cells[j];
      }
      continue;
    }
    rows_of_one += filled < 2;
    table.rows.push_back(std::move(cells));
  }
  if (table.rows.size() < 2 || rows_of_one * 4 > table.rows.size()) return std::nullopt;
  table.header_rows = ruled ? 1 : GuessHeaderRows(table.rows);
  return table;
}

}  // namespace

std::optional<TextTable> ParseTextTable(std::span<const TextLine> lines) {
  if (lines.size() < 2) return std::nullopt;
  if (auto table = ParseBoxTable(lines)) return table;
  if (auto table = ParseTabTable(lines)) return table;
  return ParseColumnTable(lines);
}

}  // namespace vade::ingest
