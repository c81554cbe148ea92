// A running header is text in the top or bottom margin whose wording, digits aside, and height come
// back on other pages. Chapter titles change with the chapter, but stand on the same line as
// something that stays, or come back for a few pages.
#include "ingest/pdf_running.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace vade::ingest {
namespace {

constexpr double kMarginShare = 0.14;  // of the page height, at the top and at the bottom
constexpr double kHeightStep = 4.0;    // points; jitter of the same line between pages
constexpr size_t kMaxMarginLines = 4;  // per margin and page
constexpr size_t kMaxRunningBytes = 200;

// Digits and roman page numbers do not count: "Page 3 of 20" equals "Page 4 of 20".
std::string Pattern(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxRunningBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isdigit(byte) != 0) {
      if (out.empty() || out.back() != '#') out.push_back('#');
    } else if (std::isspace(byte) == 0) {
      out.push_back(static_cast<char>(std::tolower(byte)));
    }
  }
  if (!out.empty() && out.find_first_not_of("ivxlc") == std::string::npos) out = "#";
  return out;
}

bool IsPageNumber(std::string_view text, const PdfPage& page) {
  if (!page.label.empty() && text == page.label) return true;
  const std::string pattern = Pattern(text);
  return pattern == "#" || pattern == "-#-" || pattern == "page#" || pattern == "page#of#" ||
         pattern == "#/#" || pattern == "|#" || pattern == "#|";
}

struct Place {
  std::string pattern;
  long height = 0;  // from the nearer edge, in steps
  bool top = false;

  bool operator<(const Place& other) const {
    return std::tie(pattern, height, top) < std::tie(other.pattern, other.height, other.top);
  }
};

// Indices of the spans that stand side by side on one line of a margin.
struct MarginLine {
  std::vector<size_t> spans;
  bool top = false;
  bool outermost = false;
};

std::vector<MarginLine> MarginLines(const PdfPage& page) {
  const double margin = kMarginShare * page.height;
  std::vector<MarginLine> lines;
  for (const bool top : {true, false}) {
    std::vector<size_t> spans;
    for (size_t i = 0; i < page.spans.size(); ++i) {
      const Box& box = page.spans[i].box;
      if (top ? box.y1 < margin : box.y0 > page.height - margin) spans.push_back(i);
    }
    std::sort(spans.begin(), spans.end(), [&](size_t a, size_t b) {
      const double difference = page.spans[a].box.y0 - page.spans[b].box.y0;
      return top ? difference < 0 : difference > 0;
    });
    size_t num_lines = 0;
    for (const size_t i : spans) {
      const bool same_line = num_lines > 0 && VerticalOverlap(page.spans[lines.back().spans[0]].box,
                                                              page.spans[i].box) > 0.5;
      if (!same_line) {
        if (++num_lines > kMaxMarginLines) break;
        lines.push_back({{}, top, num_lines == 1});
      }
      lines.back().spans.push_back(i);
    }
  }
  return lines;
}

class Margins {
 public:
  explicit Margins(std::vector<PdfPage>& pages) : pages_(pages) {
    for (size_t page_idx = 0; page_idx < pages.size(); ++page_idx) {
      const PdfPage& page = pages[page_idx];
      num_text_pages_ += !page.spans.empty();
      for (const MarginLine& line : MarginLines(page)) {
        for (const size_t i : line.spans) {
          seen_[PlaceOf(page.spans[i], page, line.top)].push_back(page_idx);
        }
      }
    }
  }

  size_t Remove() {
    std::vector<std::vector<bool>> drops;
    size_t removed = 0;
    size_t total = 0;
    for (const PdfPage& page : pages_) {
      std::vector<bool> drop(page.spans.size(), false);
      for (const MarginLine& line : MarginLines(page)) {
        if (!IsRunning(line, page)) continue;
        for (const size_t i : line.spans) drop[i] = true;
      }
      removed += static_cast<size_t>(std::count(drop.begin(), drop.end(), true));
      total += drop.size();
      drops.push_back(std::move(drop));
    }
    if (removed == total) return 0;  // then it is all there is to read
    for (size_t page_idx = 0; page_idx < pages_.size(); ++page_idx) {
      std::vector<PdfSpan>& spans = pages_[page_idx].spans;
      size_t kept = 0;
      for (size_t i = 0; i < spans.size(); ++i) {
        if (drops[page_idx][i]) continue;
        if (kept != i) spans[kept] = std::move(spans[i]);
        ++kept;
      }
      spans.resize(kept);
    }
    return removed;
  }

 private:
  static Place PlaceOf(const PdfSpan& span, const PdfPage& page, bool top) {
    const double from_edge = top ? span.box.y0 : page.height - span.box.y1;
    return {Pattern(span.text), std::lround(from_edge / kHeightStep), top};
  }

  size_t PagesWith(const PdfSpan& span, const PdfPage& page, bool top) const {
    Place place = PlaceOf(span, page, top);
    std::vector<size_t> on_pages;
    --place.height;
    for (int step = 0; step < 3; ++step, ++place.height) {
      const auto found = seen_.find(place);
      if (found == seen_.end()) continue;
      // A few hundred say as much as all of them.
      const auto end = found->second.begin() +
                       static_cast<std::ptrdiff_t>(std::min<size_t>(found->second.size(), 64));
      on_pages.insert(on_pages.end(), found->second.begin(), end);
    }
    std::sort(on_pages.begin(), on_pages.end());
    return static_cast<size_t>(std::unique(on_pages.begin(), on_pages.end()) - on_pages.begin());
  }

  // Facing pages alternate: a quarter of the pages, or a good number of them, is enough.
  [[nodiscard]] size_t Enough() const {
    return num_text_pages_ <= 3 ? 2 : std::clamp<size_t>((num_text_pages_ + 3) / 4, 2, 8);
  }

  bool IsRunning(const MarginLine& line, const PdfPage& page) const {
    return std::any_of(line.spans.begin(), line.spans.end(), [&](size_t i) {
      const PdfSpan& span = page.spans[i];
      // Bare numbers stand in tables, too: only the outermost line can be the page number.
      if (line.outermost && IsPageNumber(span.text, page)) {
        const bool alone = line.spans.size() == 1 && span.text == page.label;
        return PagesWith(span, page, line.top) >= 2 || (alone && num_text_pages_ > 1);
      }
      return Pattern(span.text) != "#" && PagesWith(span, page, line.top) >= Enough();
    });
  }

  std::vector<PdfPage>& pages_;
  std::map<Place, std::vector<size_t>> seen_;  // the pages, ascending
  size_t num_text_pages_ = 0;
};

}  // namespace

size_t RemoveRunningText(std::vector<PdfPage>& pages) { return Margins(pages).Remove(); }

}  // namespace vade::ingest
