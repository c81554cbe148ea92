// Each limit answers one measured quadratic case of cmark-gfm 0.29.0.gfm.6:
//   nested lists followed by blank lines   every blank line visits every open item
//   "![[]()" repeated                      every link visits every open image bracket
//   "<?", "<!X", "<![CDATA[" repeated      every opener scans the paragraph for its end
//   a wide table header over short rows    every row is filled up with empty cells
#include "ingest/markdown_guard.h"

#include <algorithm>
#include <cstdint>

namespace vade::ingest {
namespace {

constexpr size_t kMaxMarkers = 64;
constexpr size_t kMaxIndentColumns = 256;
constexpr size_t kMaxCellsPerRow = 256;
constexpr size_t kMaxCellsPerTable = size_t{1} << 19;
constexpr size_t kMaxImages = 200;
constexpr size_t kMaxMarkupOpeners = 500;

constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool IsBlank(char c) noexcept { return c == ' ' || c == '\t'; }

class MarkdownGuard {
 public:
  explicit MarkdownGuard(std::string_view markdown) : markdown_(markdown) {
    out_.reserve(markdown.size() + 16);
  }

  std::string Run() {
    for (size_t at = 0; at < markdown_.size();) {
      const size_t end = std::min(markdown_.find('\n', at), markdown_.size());
      AddLine(markdown_.substr(at, end - at));
      at = end + 1;
    }
    return std::move(out_);
  }

 private:
  void AddLine(std::string_view line);
  [[nodiscard]] std::string_view AddPrefix(std::string_view line);
  void AddText(std::string_view text);
  void TrackTable(std::string_view text);

  std::string_view markdown_;
  std::string out_;
  size_t line_begin_ = 0;      // of the line being copied, in out_
  size_t images_ = 0;          // in this paragraph
  size_t markup_openers_ = 0;  // likewise
  size_t table_columns_ = 0;   // of the delimiter row above, 0: none
  size_t table_cells_ = 0;
};

void MarkdownGuard::AddLine(std::string_view line) {
  line_begin_ = out_.size();
  const std::string_view text = AddPrefix(line);
  if (text.empty()) {
    images_ = markup_openers_ = table_columns_ = 0;
  } else if (text.substr(0, 3) == ":::") {
    const std::string_view label = text.substr(std::min(text.find_first_not_of(':'), text.size()));
    out_ += "\n";
    AddText(label);
    out_ += "\n";
  } else {
    TrackTable(text);
    AddText(text);
  }
  out_ += '\n';
}

// Copies indent and container markers up to the limits; returns the text behind them.
std::string_view MarkdownGuard::AddPrefix(std::string_view line) {
  size_t columns = 0;
  size_t markers = 0;
  size_t at = 0;
  while (at < line.size()) {
    const char c = line[at];
    size_t marker = 0;
    if (c == '>') {
      marker = 1;
    } else if (c == '-' || c == '*' || c == '+') {
      marker = at + 1 == line.size() || IsBlank(line[at + 1]) ? 1 : 0;
    } else if (IsDigit(c)) {
      size_t digits = 1;
      while (digits < 10 && at + digits < line.size() && IsDigit(line[at + digits])) ++digits;
      const char close = at + digits < line.size() ? line[at + digits] : '\0';
      marker = close == '.' || close == ')' ? digits + 1 : 0;
    }
    if (IsBlank(c)) {
      columns += c == '\t' ? 4 : 1;
      if (columns <= kMaxIndentColumns) out_ += c;
      ++at;
    } else if (marker > 0) {
      if (++markers <= kMaxMarkers) out_ += line.substr(at, marker);
      at += marker;
    } else {
      break;
    }
  }
  return line.substr(at);
}

void MarkdownGuard::AddText(std::string_view text) {
  size_t pipes = 0;
  size_t copied = 0;
  for (size_t at = text.find_first_of("|!<"); at != std::string_view::npos;
       at = text.find_first_of("|!<", at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    const bool too_many =
        text[at] == '|'   ? ++pipes > kMaxCellsPerRow
        : text[at] == '!' ? next == '[' && ++images_ > kMaxImages
                          : (next == '?' || next == '!') && ++markup_openers_ > kMaxMarkupOpeners;
    if (!too_many) continue;
    out_.append(text.substr(copied, at - copied));
    if (text[at] == '|') out_ += ' ';
    if (text[at] == '<') out_ += "< ";
    copied = at + 1;
  }
  out_.append(text.substr(copied));
}

// Ends a table, by a blank line, before its rows have been given too many cells.
void MarkdownGuard::TrackTable(std::string_view text) {
  if (table_columns_ > 0) {
    table_cells_ += table_columns_;
    if (table_cells_ > kMaxCellsPerTable) {
      const std::string line_so_far = out_.substr(line_begin_);
      out_.resize(line_begin_);
      out_ += '\n';
      out_ += line_so_far;
      table_columns_ = 0;
    }
    return;
  }
  if (text.find('-') == std::string_view::npos ||
      text.find_first_not_of("|:- \t") != std::string_view::npos) {
    return;
  }
  table_columns_ = 1 + static_cast<size_t>(std::count(text.begin(), text.end(), '|'));
  table_cells_ = 0;
}

}  // namespace

std::string GuardMarkdown(std::string_view markdown) { return MarkdownGuard(markdown).Run(); }

}  // namespace vade::ingest
