// Spans are attacker-controlled numbers: everything repeated is bounded here.
#include "ingest/html_table.h"

#include <algorithm>
#include <utility>

namespace vade::ingest {
namespace {

constexpr uint32_t kMaxColumns = 256;
constexpr uint32_t kMaxColumnSpan = 32;
constexpr uint32_t kMaxRowSpan = 1000;
constexpr size_t kMaxRepeatedCellBytes = 200;
constexpr size_t kMaxRepeatedBytes = size_t{1} << 20;  // per table

bool IsCell(GumboTag tag) { return tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH; }

uint32_t Span(const GumboNode* cell, const char* name, uint32_t limit) {
  uint32_t span = 0;
  for (const char c : Attribute(cell, name)) {
    if (c < '0' || c > '9' || span > limit) break;
    span = span * 10 + static_cast<uint32_t>(c - '0');
  }
  return std::clamp(span, uint32_t{1}, limit);
}

class TableReader {
 public:
  HtmlTable Read(const GumboNode* table);

 private:
  // A cell above that reaches down into this column.
  struct Hanging {
    uint32_t rows_left = 0;
    std::string text;
  };

  void ReadRow(const GumboNode* row, bool in_head);
  [[nodiscard]] std::string Repeat(const std::string& text);
  void FillFromAbove(std::vector<std::string>& cells);

  HtmlTable out_;
  std::vector<Hanging> hanging_;
  size_t repeated_bytes_ = 0;
  bool headers_over_ = false;
};

HtmlTable TableReader::Read(const GumboNode* table) {
  for (const GumboNode* part : Children(table)) {
    if (IsHidden(part)) continue;
    switch (TagOf(part)) {
      case GUMBO_TAG_CAPTION:
        out_.captions.push_back(VisibleText(part));
        break;
      case GUMBO_TAG_TR:
        ReadRow(part, false);
        break;
      case GUMBO_TAG_THEAD:
      case GUMBO_TAG_TBODY:
      case GUMBO_TAG_TFOOT:
        for (const GumboNode* row : Children(part)) {
          if (TagOf(row) == GUMBO_TAG_TR && !IsHidden(row)) {
            ReadRow(row, TagOf(part) == GUMBO_TAG_THEAD);
          }
        }
        break;
      default:
        break;
    }
  }
  return std::move(out_);
}

void TableReader::ReadRow(const GumboNode* row, bool in_head) {
  bool all_headers = true;
  bool any_cell = false;
  std::vector<std::string> cells;
  for (const GumboNode* cell : Children(row)) {
    if (!IsCell(TagOf(cell)) || IsHidden(cell)) continue;
    all_headers &= TagOf(cell) == GUMBO_TAG_TH;
    any_cell = true;
  }
  if (!any_cell) return;
  const bool header = !headers_over_ && (in_head || all_headers);
  headers_over_ |= !header;
  for (const GumboNode* cell : Children(row)) {
    if (!IsCell(TagOf(cell)) || IsHidden(cell)) continue;
    FillFromAbove(cells);
    if (cells.size() >= kMaxColumns) break;
    const std::string text = VisibleText(cell);
    const uint32_t column_span = Span(cell, "colspan", kMaxColumnSpan);
    const uint32_t row_span = Span(cell, "rowspan", kMaxRowSpan);
    for (uint32_t i = 0; i < column_span && cells.size() < kMaxColumns; ++i) {
      if (hanging_.size() <= cells.size()) hanging_.resize(cells.size() + 1);
      hanging_[cells.size()] = {row_span - 1, row_span > 1 && i == 0 ? text : std::string()};
      cells.push_back(i == 0 ? text : header ? Repeat(text) : std::string());
    }
  }
  FillFromAbove(cells);
  out_.header_rows += header;
  out_.rows.push_back(std::move(cells));
}

// Text that may not be repeated leaves an empty cell.
std::string TableReader::Repeat(const std::string& text) {
  if (text.size() > kMaxRepeatedCellBytes || repeated_bytes_ > kMaxRepeatedBytes) return {};
  repeated_bytes_ += text.size();
  return text;
}

void TableReader::FillFromAbove(std::vector<std::string>& cells) {
  while (cells.size() < hanging_.size() && hanging_[cells.size()].rows_left > 0) {
    Hanging& above = hanging_[cells.size()];
    --above.rows_left;
    cells.push_back(Repeat(above.text));
  }
}

}  // namespace

bool IsDataTable(const GumboNode* table) {
  bool layout = false;
  size_t widest_row = 0;
  size_t cells_in_row = 0;
  WalkTree(
      table,
      [&](const GumboNode* node) {
        if (layout || IsText(node) || IsHidden(node)) return false;
        const GumboTag tag = TagOf(node);
        layout = (tag == GUMBO_TAG_TABLE && node != table) || HeadingLevelOf(tag) > 0 ||
                 tag == GUMBO_TAG_PRE;
        if (tag == GUMBO_TAG_TR) cells_in_row = 0;
        if (IsCell(tag)) widest_row = std::max(widest_row, ++cells_in_row);
        return !layout;
      },
      [](const GumboNode*) {});
  return !layout && widest_row > 1;
}

HtmlTable ReadTable(const GumboNode* table) { return TableReader().Read(table); }

}  // namespace vade::ingest
